--[[ schedule-add.lua
  Stores a new schedule under the next number, with its first fire. Safe to repeat: the same operation is stored once.
  KEYS  sched       sorted set, bucket → its earliest fire
        operation   string, number of the schedule that this operation stored
        person      set of a person's schedules in this partition
  ARGV  tag         the partition's hash tag
        due         the first fire
        keepMs      how long the operation is recognised, milliseconds
        most        how many schedules the person may have in this partition
        chunks      how many chunks of the definition follow
  Reply {"added" | "full", number} ]]
local person, operation = KEYS[3], KEYS[2]
local tag, due = ARGV[1], ARGV[2]
--@include lib-schedules.lua
local before = redis.call("GET", operation)
if before then return { "added", tonumber(before) } end
if redis.call("SCARD", person) >= tonumber(ARGV[4]) then return { "full", 0 } end
local number = redis.call("INCR", tag .. "schn")
local bucket, slot = place(number)
redis.call("SET", operation, number, "PX", ARGV[3])
write(bucket, slot, 6, tonumber(ARGV[5]))
redis.call("ZADD", fires(bucket), due, slot)
redis.call("SADD", person, number)
settle_bucket(bucket)
return { "added", number }
