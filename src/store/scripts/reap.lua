--[[ reap.lua
  Takes the runs of a worker that looks dead before its lease ends, if its last beat is late too; or unregisters a
  worker that says goodbye (lateMs 0). A wrong verdict is harmless: the old holder's writes find nothing.
  KEYS  own         hash lane → state
        workers     sorted set worker → lease end
        delay       sorted set, wake times
  ARGV  tag         the partition's hash tag
        worker      who looks dead
        leaseMs     how long a beat makes the lease last, milliseconds
        lateMs      how old its last beat must be, milliseconds
  Reply runs taken, or -1 when it is alive or unknown ]]
local own, workers, delay = KEYS[1], KEYS[2], KEYS[3]
local tag, worker = ARGV[1], ARGV[2]
--@include lib-mail.lua
--@include lib-reap.lua
local lease_end = redis.call("ZSCORE", workers, worker)
if not lease_end then return -1 end
local now = now_ms()
local last_beat = tonumber(lease_end) - tonumber(ARGV[3])
if now - last_beat < tonumber(ARGV[4]) then return -1 end
return reap(worker, now)
