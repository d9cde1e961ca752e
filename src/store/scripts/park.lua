--[[ park.lua
  Lets a run wait and gives up its ownership: until a time, a key, mail, or several of these. With a wait of 0 it goes
  back to the head of the line at once (a draining worker's way to hand over). Safe to repeat: the second time it is over.
  KEYS  own         hash lane → state
        owned       list, the journal while the token owns it
        journal     list, the journal while nobody does
        delay       sorted set, wake times
  ARGV  tag         the partition's hash tag
        lane        the lane
        token       the holder's token
        waitMs      milliseconds until it wakes by itself; -1 for never
        mail        "1" when the next message of the lane is for this run | "0"
        key         what `wake` must name, or ""
        failed      "1" when this counts as a failed attempt | "0"
        read        how many lines of the journal were there when the caller read it: when a line that wakes ("~") came
                    since, it does not wait; -1 to wait anyway
        lines       how many journal lines follow; then effects (lib-effects.lua)
  Reply "parked" | "lost" ]]
local own, owned, journal, delay = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local tag, lane, token, wait = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
--@include lib-mail.lua
--@include lib-effects.lua
local _, run, attempt, mark, holder = parse(redis.call("HGET", own, lane) or "")
if holder ~= token then return "lost" end
local length = redis.call("LLEN", owned)
if length == 0 then -- the journal is gone (erased by hand): there is nothing to come back to
  release(lane)
  return "lost"
end
local tries = attempt
if length > tonumber(mark) then tries = 1 end
if ARGV[7] == "1" then tries = tries + 1 end
if tonumber(ARGV[8]) >= 0 then
  -- Somebody handed the run a line it has not read, perhaps the very one it would wait for.
  for _, line in ipairs(redis.call("LRANGE", owned, ARGV[8], -1)) do
    if string.sub(line, 1, 1) == "~" then wait = 0 end
  end
end
local count = tonumber(ARGV[9])
append(owned, 10, count)
redis.call("RENAME", owned, journal)
redis.call("PERSIST", journal) -- it may still have its time from when the lane was idle, and a wait can be long
local where = "|" .. run .. "|" .. tries .. "|" .. (length + count) .. "|"
if wait == 0 then
  redis.call("HSET", own, lane, "resume" .. where)
  redis.call("LPUSH", tag .. "ready:" .. kind_of(lane), lane)
  ring(kind_of(lane))
else
  redis.call("HSET", own, lane, "parked" .. where .. ARGV[5] .. "|" .. ARGV[6])
  if wait > 0 then redis.call("ZADD", delay, now_ms() + wait, lane) end
end
effects(10 + count)
return "parked"
