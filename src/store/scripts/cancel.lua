--[[ cancel.lua
  Ends a run from outside, whoever holds it: its holder finds its journal gone. The caller has read the journal and says
  what had been done; if a line came since, nothing happens and the caller reads again. Safe to repeat with the same last line.
  KEYS  own         hash lane → state
        journal     list, the journal while nobody owns it
        inbox       list, messages nobody has taken yet
        delay       sorted set, wake times
        cold        sorted set lane → when it was last used
        witness     list, the caller's own owned journal, or a key that is never there
  ARGV  tag         the partition's hash tag
        lane        the lane
        run         the run to end
        length      how many lines the caller has read
        keepMs      how long an idle journal is kept, milliseconds
        note        line for the witness, or "" for no witness
        line        the run's last line; then effects (lib-effects.lua)
  Reply "cancelled" | "over" | "changed" | "lost" (the caller no longer owns the witness) ]]
local own, journal, inbox, delay, cold, witness = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local tag, lane, wanted, length, note = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[6]
--@include lib-mail.lua
--@include lib-effects.lua
if note ~= "" then
  if redis.call("EXISTS", witness) == 0 then return "lost" end
  if redis.call("LPOS", witness, note) then return "cancelled" end
end
local state, run, _, _, rest = parse(redis.call("HGET", own, lane) or "")
-- The next run may have the journal by now.
local current = state == "run" and owned_name(rest) or journal
if not state or run ~= wanted then
  return redis.call("LPOS", current, ARGV[7]) and "cancelled" or "over"
end
if redis.call("LLEN", current) ~= length then return "changed" end
redis.call("RPUSH", current, ARGV[7])
if current ~= journal then redis.call("RENAME", current, journal) end
redis.call("PEXPIRE", journal, ARGV[5])
redis.call("ZADD", cold, now_ms(), lane)
redis.call("ZREM", delay, lane)
if state == "run" then
  local worker = string.match(rest, "^[^.]*")
  redis.call("PUBLISH", "parley:worker:" .. worker, "cancel " .. rest)
end
if note ~= "" then redis.call("RPUSH", witness, note) end
effects(8)
release(lane)
return "cancelled"
