--[[ begin-request.lua
  Begins a request that carries an idempotency key, unless it was answered before or is being worked on. A request whose
  lease ran out is begun anew under the operation it had. Safe to repeat with the same token.
  KEYS  request    hash, what is known of the request
  ARGV  print      fingerprint of the request
        token      names this attempt
        operation  names what the request does, if it is the first attempt
        leaseMs    how long the attempt may take, milliseconds
        keepMs     how long the request is remembered, milliseconds
  Reply {"begun", operation} | {"answered", answer} | {"busy", ""} | {"other", ""} ]]
local request, print, token, operation, lease_ms, keep_ms = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call("HMGET", request, "print", "token", "operation", "lease", "answer")
if known[1] then
  if known[1] ~= print then return { "other", "" } end
  if known[5] then return { "answered", known[5] } end
  if known[2] ~= token and tonumber(known[4]) > now then return { "busy", "" } end
  operation = known[3]
end
redis.call("HSET", request, "print", print, "token", token, "operation", operation, "lease", now + lease_ms)
redis.call("PEXPIRE", request, keep_ms)
return { "begun", operation }
