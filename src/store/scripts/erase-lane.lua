--[[ erase-lane.lua
  Forgets a lane with all it holds and ends its run, whoever has it: the holder finds its journal gone. The caller has
  read the lane and says in the effects what became of its messages; if anything changed since, nothing happens and the
  caller reads again. Safe to repeat: the second time nothing is there, which is a change to who has read something.
  KEYS  own         hash lane → state
        journal     list, the journal while nobody owns it
        archive     string, older history
        inbox       list, messages nobody has taken yet
        delay       sorted set, wake times
        cold        sorted set, lanes to compact
        rest        sorted set, lanes to pack harder
  ARGV  tag         the partition's hash tag
        lane        the lane
        run         the run the caller saw, or "" for none
        lines       how many lines of the journal the caller has read
        waiting     how many waiting messages the caller has read; then effects (lib-effects.lua)
  Reply "erased" | "changed" ]]
local own, journal, archive, inbox, delay = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local tag, lane, wanted = ARGV[1], ARGV[2], ARGV[3]
--@include lib-mail.lua
--@include lib-effects.lua
local state, run, _, _, rest = parse(redis.call("HGET", own, lane) or "")
if (run or "") ~= wanted then return "changed" end
local current = state == "run" and owned_name(rest) or journal
if redis.call("LLEN", current) ~= tonumber(ARGV[4]) then return "changed" end
if redis.call("LLEN", inbox) ~= tonumber(ARGV[5]) then return "changed" end
redis.call("DEL", current, archive, inbox)
redis.call("HDEL", own, lane)
redis.call("ZREM", delay, lane)
redis.call("ZREM", KEYS[6], lane)
redis.call("ZREM", KEYS[7], lane)
if state == "run" then
  local worker = string.match(rest, "^[^.]*")
  redis.call("PUBLISH", "parley:worker:" .. worker, "cancel " .. rest)
end
effects(6)
return "erased"
