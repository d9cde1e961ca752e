--[[ schedule-change.lua
  Replaces a schedule's definition and next fire, or deletes it with everything that belongs to it, if nobody changed it
  meanwhile. Safe to repeat: what is already as wanted is "changed".
  KEYS  sched       sorted set, bucket → its earliest fire
        person      set of the person's schedules in this partition
  ARGV  tag         the partition's hash tag
        number      the schedule
        before      its definition as the caller read it
        due         the next fire, "" for none, "same" to leave it
        chunks      how many chunks of the new definition follow; 0 deletes
  Reply "changed" | "stale" | "gone" ]]
local tag, number, before, due = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
--@include lib-schedules.lua
local bucket, slot = place(number)
local now_ = definition(bucket, slot)
local count = tonumber(ARGV[5])
if now_ == "" then return "gone" end
local after = ""
for index = 1, count do after = after .. ARGV[5 + index] end
if now_ ~= before and now_ ~= after then return "stale" end
local function drop_retries()
  for _, member in ipairs(redis.call("ZRANGE", fires(bucket), 0, -1)) do
    if string.match(member, "^(%d+)!") == slot then redis.call("ZREM", fires(bucket), member) end
  end
end
if count == 0 then
  redis.call("HDEL", defs(bucket), unpack(fields(slot)))
  redis.call("ZREM", fires(bucket), slot)
  drop_retries()
  redis.call("SREM", KEYS[2], number)
  redis.call("HDEL", tag .. "schx", number)
  redis.call("DEL", ledger(number))
else
  write(bucket, slot, 6, count)
  if due == "" then
    redis.call("ZREM", fires(bucket), slot)
    drop_retries()
  elseif due ~= "same" then
    redis.call("ZADD", fires(bucket), due, slot)
    redis.call("HDEL", tag .. "schx", number)
  end
end
settle_bucket(bucket)
return "changed"
