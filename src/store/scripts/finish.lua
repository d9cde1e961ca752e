--[[ finish.lua
  Ends a run together with all it says: the last lines, outgoing messages, records. Then the lane goes on with its next
  message or becomes idle, in the same step, and the worker gets the next ready lane if it is still registered.
  Safe to repeat: the second time the run is over, and what was handed out is handed out again. Only of a journal that
  was dropped nothing is left to know the first time by; then the repetition says "lost". The lane's and the worker's
  keys have the same slot and are named here from the tag, the lane and the token, as in admit.lua.
  KEYS  own         hash lane → state
  ARGV  tag         the partition's hash tag
        lane        the lane
        token       the holder's token
        next        token for the next lane, or "" for none
        keep        "keep" the journal | "drop" it with the archive
        lines       how many journal lines follow; then effects (lib-effects.lua)
  Reply {"finished" | "lost", the next claim | nothing} ]]
local own = KEYS[1]
local tag, lane, token, next_token = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local worker = string.match(token, "^[^.]*")
local journal, inbox = tag .. "c:" .. lane, tag .. "q:" .. lane
--@include lib-mail.lua
--@include lib-effects.lua
--@include lib-start.lua
local count, owned = tonumber(ARGV[6]), owned_name(token)
local state, _, _, _, holder = parse(redis.call("HGET", own, lane) or "")
if state ~= "run" or holder ~= token then
  local current = state == "run" and owned_name(holder) or journal
  local done = count > 0 and redis.call("LPOS", current, ARGV[6 + count])
  return { done and "finished" or "lost", next_token ~= "" and held(next_token, runs_of(worker)) or nil }
end
if ARGV[5] == "keep" then
  append(owned, 7, count)
  redis.call("RENAME", owned, journal)
  -- Whoever compacts it says when it ends; until then it has none, and stands in this set. Whole seconds are enough, and
  -- as a text they cost less than a number, which Redis prints with all its digits.
  redis.call("ZADD", tag .. "cold", "NX", redis.call("TIME")[1] .. "000", lane)
else
  if redis.call("DEL", owned, tag .. "a:" .. lane) == 2 then redis.call("ZREM", tag .. "rest", lane) end
  redis.call("ZREM", tag .. "cold", lane)
end
effects(7 + count)
local kind = kind_of(lane)
local ready, in_line = tag .. "ready:" .. kind, redis.call("EXISTS", inbox) == 1
if in_line then
  redis.call("HSET", own, lane, "ready")
  redis.call("RPUSH", ready, lane)
else
  redis.call("HDEL", own, lane)
end
if next_token == "" then
  if in_line then ring(kind) end
  return { "finished" }
end
local candidate = redis.call("LPOP", ready)
if candidate and not redis.call("ZSCORE", tag .. "workers", worker) then
  redis.call("LPUSH", ready, candidate)
  ring(kind)
  return { "finished" }
end
while candidate do
  local claim = start(candidate, next_token)
  if claim then return { "finished", claim } end
  candidate = redis.call("LPOP", ready)
end
return { "finished" }
