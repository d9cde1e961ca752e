--[[ finish.lua
  Ends a run together with all it says: the last lines, outgoing messages, records. Then the lane goes on with its next
  message or becomes idle, in the same step, and the worker gets the next ready lane if it is still registered.
  Safe to repeat: the second time the run is over, and what was handed out is handed out again. Only of a journal that
  was dropped nothing is left to know the first time by; then the repetition says "lost".
  KEYS  own         hash lane → state
        owned       list, the journal while the token owns it
        journal     list, the journal while nobody does
        inbox       list, messages nobody has taken yet
        archive     string, older history
        runs        hash token → lane, what this worker holds
        workers     sorted set worker → lease end
        bell        list, doorbell
        cold        sorted set lane → when it was last used
  ARGV  tag         the partition's hash tag
        lane        the lane
        token       the holder's token
        worker      the holder
        next        token for the next lane, or "" for none
        keep        "keep" the journal | "drop" it with the archive
        keepMs      how long an idle journal is kept, milliseconds
        lines       how many journal lines follow; then effects (lib-effects.lua)
  Reply {"finished" | "lost", the next claim | nothing} ]]
local own, owned, journal, inbox, archive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local runs, workers, bell, cold = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local tag, lane, token, worker, next_token = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
--@include lib-mail.lua
--@include lib-effects.lua
--@include lib-start.lua
local count = tonumber(ARGV[8])
-- A worker's runs and the lanes' states change together, so what it can give back was still its own.
if redis.call("HDEL", runs, token) == 0 then
  local state, _, _, _, holder = parse(redis.call("HGET", own, lane) or "")
  local current = state == "run" and owned_name(journal, holder) or journal
  local done = count > 0 and redis.call("LPOS", current, ARGV[8 + count])
  return { done and "finished" or "lost", next_token ~= "" and held(next_token) or nil }
end
if ARGV[6] == "keep" then
  append(owned, 9, count)
  redis.call("RENAME", owned, journal)
  -- Now and then is enough for an end that is months away; every change of it is written to disk.
  if redis.call("PTTL", journal) < ARGV[7] * 0.99 then redis.call("PEXPIRE", journal, ARGV[7]) end
  redis.call("ZADD", cold, "NX", now_ms(), lane)
else
  redis.call("DEL", owned, archive)
  redis.call("ZREM", cold, lane)
end
effects(9 + count)
local ready = tag .. "ready:" .. kind_of(lane)
local in_line = 0
if redis.call("EXISTS", inbox) == 1 then
  redis.call("HSET", own, lane, "ready")
  in_line = redis.call("RPUSH", ready, lane)
else
  redis.call("HDEL", own, lane)
end
if next_token == "" then
  if in_line == 1 then ring() end
  return { "finished" }
end
local candidate = redis.call("LPOP", ready)
if candidate and not redis.call("ZSCORE", workers, worker) then
  redis.call("LPUSH", ready, candidate)
  ring()
  return { "finished" }
end
while candidate do
  local claim = start(candidate, next_token)
  if claim then return { "finished", claim } end
  candidate = redis.call("LPOP", ready)
end
return { "finished" }
