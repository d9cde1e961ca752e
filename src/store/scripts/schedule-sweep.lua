--[[ schedule-sweep.lua
  Reads what is due in a partition, by Redis' own clock. One process at a time sweeps a partition, so that the others do
  not compute the same; a slot is claimed by schedule-fire.lua, whoever read it. Safe to repeat.
  KEYS  sched       sorted set, bucket → its earliest fire
        sweeper     string, who sweeps this partition, expires on its own
  ARGV  tag         the partition's hash tag
        me          the process
        leaseMs     how long it goes on sweeping without coming back, milliseconds
        limit       how many at most
        now         instead of Redis' clock, for tests; "" otherwise
  Reply {"due" | "other", now, {number, "" or the retry as `!slot!attempt`, due, definition} …} ]]
local sched, sweeper = KEYS[1], KEYS[2]
local tag, limit = ARGV[1], tonumber(ARGV[4])
--@include lib-schedules.lua
local time = redis.call("TIME")
local now = ARGV[5] ~= "" and tonumber(ARGV[5]) or time[1] * 1000 + math.floor(time[2] / 1000)
local holder = redis.call("GET", sweeper)
if holder and holder ~= ARGV[2] then return { "other", now, {} } end
redis.call("SET", sweeper, ARGV[2], "PX", ARGV[3])
local found = {}
for _, bucket in ipairs(redis.call("ZRANGEBYSCORE", sched, "-inf", now, "LIMIT", 0, limit)) do
  local due = redis.call("ZRANGEBYSCORE", fires(bucket), "-inf", now, "WITHSCORES", "LIMIT", 0, limit - #found)
  -- Few are read one by one, many with the whole bucket.
  local all
  if #due > 8 then
    all = {}
    local flat = redis.call("HGETALL", defs(bucket))
    for index = 1, #flat, 2 do all[flat[index]] = flat[index + 1] end
  end
  for index = 1, #due, 2 do
    local slot, retry = string.match(due[index], "^(%d+)(.*)$")
    local text
    if all then
      text = ""
      for _, letter in ipairs(CHUNKS) do
        local chunk = all[slot .. letter]
        if not chunk then break end
        text = text .. chunk
      end
    else
      text = definition(bucket, slot)
    end
    found[#found + 1] = { bucket * SIZE + slot, retry, due[index + 1], text }
  end
  if #found >= limit then break end
end
return { "due", now, found }
