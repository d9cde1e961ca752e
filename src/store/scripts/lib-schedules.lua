-- Shared by the transitions of schedules. Expects `tag`.
-- A schedule is a number; 64 neighbours share a bucket: a hash of definitions and a sorted set of next fires, both small
-- enough for Redis' compact form. `sched` holds each bucket with its earliest fire.
local SIZE = 64
local CHUNKS = { "", "a", "b", "c", "d", "e", "f", "g" }

local function place(number) return math.floor(number / SIZE), tostring(number % SIZE) end
local function defs(bucket) return tag .. "schd:" .. bucket end
local function fires(bucket) return tag .. "schf:" .. bucket end
local function ledger(number) return tag .. "schl:" .. number end

local function fields(slot)
  local names = {}
  for index, letter in ipairs(CHUNKS) do names[index] = slot .. letter end
  return names
end

local function definition(bucket, slot)
  local chunks = redis.call("HMGET", defs(bucket), unpack(fields(slot)))
  local text = ""
  for _, chunk in ipairs(chunks) do text = text .. (chunk or "") end
  return text
end

-- The chunks stand in ARGV from `at` on.
local function write(bucket, slot, at, count)
  local names, pairs_ = fields(slot), {}
  redis.call("HDEL", defs(bucket), unpack(names))
  for index = 1, count do
    pairs_[index * 2 - 1], pairs_[index * 2] = names[index], ARGV[at + index - 1]
  end
  redis.call("HSET", defs(bucket), unpack(pairs_))
end

-- The first letter of a definition says whether it is active.
local function set_status(bucket, slot, letter)
  local first = redis.call("HGET", defs(bucket), slot)
  if first then redis.call("HSET", defs(bucket), slot, letter .. string.sub(first, 2)) end
end

-- After every change of a bucket's fires: keeps its earliest one in `sched`.
local function settle_bucket(bucket)
  local first = redis.call("ZRANGE", fires(bucket), 0, 0, "WITHSCORES")
  if first[2] then
    redis.call("ZADD", tag .. "sched", first[2], bucket)
  else
    redis.call("ZREM", tag .. "sched", bucket)
  end
end

-- Newest first; at most 100 lines, or some more until they are cut.
local function note(number, line)
  local length = redis.call("LPUSH", ledger(number), line)
  if length > 125 then redis.call("LTRIM", ledger(number), 0, 99) end
  if length % 8 == 1 or length > 125 then redis.call("PEXPIRE", ledger(number), 34560000000) end
end
