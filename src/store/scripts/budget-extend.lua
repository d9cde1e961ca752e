--[[ budget-extend.lua
  Adds to a budget's limits until a moment. Safe to repeat: one extension of a name counts once, the last one said.
  KEYS  grants  hash name → tokens, money, steps and end
  ARGV  name    names the extension
        tokens  what it adds
        money   what it adds, in millionths
        steps   what it adds
        ends    when it ends, milliseconds since 1970
        most    how many there may be at a time
  Reply "extended" | "full" ]]
local grants, name, ends = KEYS[1], ARGV[1], tonumber(ARGV[5])
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last, live = ends, 0
local all = redis.call("HGETALL", grants)
for at = 1, #all, 2 do
  local other = tonumber(string.match(all[at + 1], "%d+$"))
  if other <= now then
    redis.call("HDEL", grants, all[at])
  elseif all[at] ~= name then
    live, last = live + 1, math.max(last, other)
  end
end
if live >= tonumber(ARGV[6]) then return "full" end
redis.call("HSET", grants, name, table.concat({ ARGV[2], ARGV[3], ARGV[4], ARGV[5] }, " "))
redis.call("PEXPIREAT", grants, string.format("%.0f", last))
return "extended"
