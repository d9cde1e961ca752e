-- Shared by the transitions that end or interrupt a run: everything said and noted together with it.
-- Reads from ARGV at `at`: count, then `lane entry` pairs to put in other lanes of this partition;
-- count, then `key value ttl-ms` records, the value after "=" to set it or "+" to append it to a list;
-- count, then `channel payload` announcements.
local function effects(at)
  for _ = 1, tonumber(ARGV[at]) do
    put(ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
  at = at + 1
  for _ = 1, tonumber(ARGV[at]) do
    local key, value, ttl = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    if string.sub(value, 1, 1) == "+" then
      redis.call("RPUSH", tag .. key, string.sub(value, 2))
      redis.call("LTRIM", tag .. key, -1000, -1)
      redis.call("PEXPIRE", tag .. key, ttl)
    else
      redis.call("SET", tag .. key, string.sub(value, 2), "PX", ttl)
    end
    at = at + 3
  end
  at = at + 1
  for _ = 1, tonumber(ARGV[at]) do
    redis.call("PUBLISH", ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
end

-- Appends ARGV[first .. first + count - 1] to a journal.
local function append(journal, first, count)
  -- In slices: Lua's stack holds only so many.
  for from = first, first + count - 1, 500 do
    redis.call("RPUSH", journal, unpack(ARGV, from, math.min(from + 499, first + count - 1)))
  end
end
