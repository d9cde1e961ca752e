--[[ release-lease.lua
  Gives a lease back if it is still one's own. Safe to repeat.
  KEYS  lease       string, who has it
  ARGV  holder      who gives it back
  Reply "released" | "other" ]]
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return "other" end
redis.call("DEL", KEYS[1])
return "released"
