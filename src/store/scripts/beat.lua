--[[ beat.lua
  A worker's sign of life for all its runs at once. Also does what is due in the partition: wakes waiting runs and
  takes the runs of workers whose lease has ended. Time is Redis' own.
  KEYS  own         hash lane → state
        workers     sorted set worker → lease end
        delay       sorted set, wake times
  ARGV  tag         the partition's hash tag
        worker      who beats
        leaseMs     how long the lease lasts from now, milliseconds
        register    "1" to register | "0" to renew only
  Reply {"ok" | "gone", milliseconds to the next wake or -1, runs taken from dead workers, other workers} ]]
local own, workers, delay = KEYS[1], KEYS[2], KEYS[3]
local tag, worker = ARGV[1], ARGV[2]
--@include lib-mail.lua
--@include lib-reap.lua
if ARGV[4] == "0" and not redis.call("ZSCORE", workers, worker) then return { "gone", -1, 0, {} } end
local now = now_ms()
redis.call("ZADD", workers, now + tonumber(ARGV[3]), worker)
for _, lane in ipairs(redis.call("ZRANGEBYSCORE", delay, "-inf", now, "LIMIT", 0, 200)) do
  redis.call("ZREM", delay, lane)
  local state, run, attempt, mark = parse(redis.call("HGET", own, lane) or "")
  if state == "parked" then make_ready(lane, "resume|" .. run .. "|" .. attempt .. "|" .. mark .. "|") end
end
-- Up to some hundred fields Redis keeps a hash as one piece of memory that it walks through for every look. A value of more
-- than 64 bytes makes it a table, in which it finds a lane at once, for as long as any lane is in it.
if redis.call("HLEN", own) > 16 and redis.call("OBJECT", "ENCODING", own) == "listpack" then
  redis.call("HSET", own, "", string.rep(" ", 65))
  redis.call("HDEL", own, "")
end
local taken = 0
for _, dead in ipairs(redis.call("ZRANGEBYSCORE", workers, "-inf", now, "LIMIT", 0, 8)) do
  taken = taken + reap(dead, now)
end
local first = redis.call("ZRANGE", delay, 0, 0, "WITHSCORES")
local others = {}
for _, other in ipairs(redis.call("ZRANGE", workers, 0, 255)) do
  if other ~= worker then others[#others + 1] = other end
end
return { "ok", first[2] and math.max(0, tonumber(first[2]) - now) or -1, taken, others }
