--[[ schedule-outcome.lua
  Notes how the run of a slot ended, and counts failures in a row: a failed slot may be tried again later, and after too
  many the schedule is disabled. Safe to repeat: an outcome that was noted changes nothing and replies the same.
  KEYS  sched       sorted set, bucket → its earliest fire
        failing     hash, schedule → failures in a row, mark of the last one, what was replied
  ARGV  tag         the partition's hash tag
        number      the schedule
        mark        the slot and its attempt
        ok          "1" when it went well
        line        for the ledger
        disableAt   how many failures in a row disable it
        retryAt     when to try the slot again, "" for never
        retry       `!slot!attempt` of that try
  Reply {"fine" | "again" | "failed" | "disabled" | "gone", failures in a row} ]]
local failing = KEYS[2]
local tag, number, mark = ARGV[1], tonumber(ARGV[2]), ARGV[3]
--@include lib-schedules.lua
local bucket, slot = place(number)
local status = string.sub(redis.call("HGET", defs(bucket), slot) or "", 1, 1)
if status == "" then return { "gone", 0 } end
if redis.call("LINDEX", ledger(number), 0) ~= ARGV[5] then note(number, ARGV[5]) end
if ARGV[4] == "1" then
  redis.call("HDEL", failing, number)
  return { "fine", 0 }
end
local count, last, said = string.match(redis.call("HGET", failing, number) or "0||", "^(%d+)|([^|]*)|(.*)$")
count = tonumber(count)
if last == mark then return { said, count } end
local following = redis.call("ZSCORE", fires(bucket), slot)
local reply
if ARGV[7] ~= "" and (status == "e" or (following and tonumber(following) > tonumber(ARGV[7]))) then
  redis.call("ZADD", fires(bucket), ARGV[7], slot .. ARGV[8])
  reply = "again"
else
  count = count + 1
  reply = "failed"
  if count >= tonumber(ARGV[6]) and status == "a" then
    reply = "disabled"
    set_status(bucket, slot, "d")
    redis.call("ZREM", fires(bucket), slot)
  end
end
redis.call("HSET", failing, number, count .. "|" .. mark .. "|" .. reply)
settle_bucket(bucket)
return { reply, count }
