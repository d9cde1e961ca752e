--[[ end-request.lua
  Ends an attempt at a request that carries an idempotency key: keeps its answer, gives up its lease so that it can be
  tried again, or forgets the request. Changes nothing when another attempt took over. Safe to repeat.
  KEYS  request  hash, what is known of the request
  ARGV  token    names the attempt
        how      answered, failed or forget
        answer   what to keep, "" unless answered
        keepMs   how long it is kept, milliseconds
  Reply "ended" | "lost" ]]
local request, token, how, answer, keep_ms = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local holder = redis.call("HGET", request, "token")
if not holder and how == "forget" then return "ended" end
if holder ~= token then return "lost" end
if how == "forget" then
  redis.call("DEL", request)
elseif how == "failed" then
  redis.call("HSET", request, "lease", 0)
else
  redis.call("HSET", request, "answer", answer)
  redis.call("PEXPIRE", request, keep_ms)
end
return "ended"
