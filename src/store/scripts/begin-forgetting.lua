--[[ begin-forgetting.lua
  Begins to forget a person, goes on where an interrupted attempt stopped, or finds that the same request is done.
  Safe to repeat with the same attempt.
  KEYS  progress    hash operation, attempt, plan, interrupted, receipt
  ARGV  operation   names the request, the same on every attempt at it
        attempt     unique for each attempt
        plan        what there is to delete, as JSON; what an unfinished attempt noted first stays
        keepMs      how long unfinished progress is kept, milliseconds
  Reply {"begun" | "resumed", the plan} | {"finished", the receipt} ]]
local key, operation, attempt = KEYS[1], ARGV[1], ARGV[2]
local state = redis.call("HMGET", key, "operation", "attempt", "plan", "interrupted", "receipt")
if state[5] and state[1] == operation then return { "finished", state[5] } end
if not state[3] or state[5] then
  redis.call("DEL", key)
  redis.call("HSET", key, "operation", operation, "attempt", attempt, "plan", ARGV[3])
  redis.call("PEXPIRE", key, ARGV[4])
  return { "begun", ARGV[3] }
end
if state[2] ~= attempt then
  redis.call("HSET", key, "operation", operation, "attempt", attempt, "interrupted", "1")
  redis.call("PEXPIRE", key, ARGV[4])
  return { "resumed", state[3] }
end
return { state[4] and "resumed" or "begun", state[3] }
