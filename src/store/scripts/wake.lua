--[[ wake.lua
  Wakes a run that waits for a key and hands it a line. Safe to repeat with the same line.
  KEYS  own         hash lane → state
        journal     list, the journal while nobody owns it
        delay       sorted set, wake times
  ARGV  tag         the partition's hash tag
        lane        the lane
        key         what the run waits for
        line        the journal line it gets
  Reply "woken" | "not-waiting" ]]
local own, journal, delay = KEYS[1], KEYS[2], KEYS[3]
local tag, lane, key, line = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
--@include lib-mail.lua
local state, run, attempt, mark, rest = parse(redis.call("HGET", own, lane) or "")
if state == "parked" and key ~= "" and string.sub(rest, 3) == key then
  redis.call("ZREM", delay, lane)
  if redis.call("RPUSHX", journal, line) == 0 then -- the journal is gone (erased by hand): there is nobody to wake
    release(lane)
    return "not-waiting"
  end
  make_ready(lane, "resume|" .. run .. "|1|" .. mark .. "|")
  return "woken"
end
if state == "run" then journal = owned_name(rest) end
return redis.call("LPOS", journal, line) and "woken" or "not-waiting"
