--[[ decide.lua
  Decides, once, what a run has put up for decision: notes the decision in the matter's record, hands the run its line
  and wakes it when it waits for such lines. The first decision counts, whoever holds the run meanwhile. What comes from
  outside must be in time by Redis' clock; the run itself may declare that the time is over. Safe to repeat with the same
  decision, which must be unique.
  KEYS  own         hash lane → state
        matter      string, "open" or the decision; line break; what it is about. Lives for `keepMs` after its time
        journal     list, the journal while nobody owns it
        delay       sorted set, wake times
  ARGV  tag         the partition's hash tag
        lane        the lane
        run         the run that put it up
        key         what the run waits for
        decision    the decision, on one line
        line        the journal line the run gets
        keepMs      how long the record is kept after its time, milliseconds; -1 when the run itself decides
        channel     where it is announced
        payload     what is announced
  Reply {"recorded" | "decided" (earlier) | "late" | "over" (the run) | "unknown", the record | ""} ]]
local own, matter, journal, delay = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local tag, lane, wanted, key, decision, line = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local keep = tonumber(ARGV[7])
--@include lib-mail.lua
local record = redis.call("GET", matter)
local head, about
if record then
  head, about = string.match(record, "^([^\n]*)\n(.*)$")
  if head == decision then return { "recorded", record } end
  if head ~= "open" then return { "decided", record } end
elseif keep >= 0 then
  return { "unknown", "" }
end
local state, run, _, mark, rest = parse(redis.call("HGET", own, lane) or "")
if run ~= wanted then return { "over", record or "" } end
if keep >= 0 and redis.call("PTTL", matter) <= keep then return { "late", record } end
-- A run that is going reads the line when it comes back to wait: it does not park while there is one it has not read.
if redis.call("RPUSHX", state == "run" and owned_name(rest) or journal, line) == 0 then
  return { "over", record or "" } -- the journal is gone (erased by hand)
end
if record then
  record = decision .. "\n" .. about
  redis.call("SET", matter, record, "KEEPTTL")
end
if state == "parked" and string.sub(rest, 3) == key then
  redis.call("ZREM", delay, lane)
  make_ready(lane, "resume|" .. run .. "|1|" .. mark .. "|")
end
redis.call("PUBLISH", ARGV[8], ARGV[9])
return { "recorded", record or "" }
