--[[ hold-lease.lua
  Takes a lease that nobody has, or keeps one's own. Safe to repeat.
  KEYS  lease       string, who has it
  ARGV  holder      who wants it
        ttlMs       for how long, milliseconds
  Reply "held" | "other" ]]
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then return "other" end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return "held"
