--[[ shelf-add.lua
  Enters a file whose parts are there already in the list of one person's files, within their quota. Before that its
  parts end soon by themselves, from then on with the file. What has ended is left out of the count. A file that does
  not fit goes at once, parts and all. Safe to repeat: a file that is in the list stays as it is.
  KEYS  files       hash id → "bytes parts at ends about", all files of one kind of one person
  ARGV  prefix      the parts are the strings `prefix id:n`, without the space
        id          the file
        about       JSON of what is known of it
        bytes       how long it is
        parts       how many parts it has
        keepMs      how long it is kept
        quotaFiles  how many files there may be
        quotaBytes  how long they may be together
        whenFull    "refuse", or "drop-oldest" to make room
  Reply {"stored" | "known" | "missing" | "too-many" | "too-large", the entry | ""} ]]
local files = KEYS[1]
local prefix, id, about = ARGV[1], ARGV[2], ARGV[3]
local bytes, parts, keep_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local most_files, most_bytes, when_full = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function read(entry)
  local size, count, at, ends = string.match(entry, "^(%d+) (%d+) (%d+) (%d+) ")
  return tonumber(size), tonumber(count), tonumber(at), tonumber(ends)
end

local function drop(which, count)
  redis.call("HDEL", files, which)
  for part = 0, count - 1 do redis.call("UNLINK", prefix .. which .. ":" .. part) end
end

local all = redis.call("HGETALL", files)
local kept, used = {}, 0
for at = 1, #all, 2 do
  local size, count, since, ends = read(all[at + 1])
  if not ends then
    redis.call("HDEL", files, all[at]) -- damaged by hand: its parts end by themselves
  elseif ends <= now then
    if all[at] ~= id then drop(all[at], count) else redis.call("HDEL", files, id) end
  elseif all[at] == id then
    return { "known", all[at + 1] }
  else
    kept[#kept + 1] = { id = all[at], bytes = size, parts = count, at = since }
    used = used + size
  end
end

for part = 0, parts - 1 do
  if redis.call("PTTL", prefix .. id .. ":" .. part) <= 0 then return { "missing", "" } end
end
if when_full == "drop-oldest" and bytes <= most_bytes then
  table.sort(kept, function(one, other)
    if one.at ~= other.at then return one.at < other.at end
    return one.id < other.id
  end)
  while #kept > 0 and (#kept >= most_files or used + bytes > most_bytes) do
    local oldest = table.remove(kept, 1)
    drop(oldest.id, oldest.parts)
    used = used - oldest.bytes
  end
end
if #kept >= most_files or used + bytes > most_bytes then
  drop(id, parts)
  return { #kept >= most_files and "too-many" or "too-large", "" }
end

for part = 0, parts - 1 do redis.call("PEXPIRE", prefix .. id .. ":" .. part, keep_ms) end
-- The number would be written as 1.7e+12 by itself.
local entry = string.format("%d %d %.0f %.0f %s", bytes, parts, now, now + keep_ms, about)
redis.call("HSET", files, id, entry)
if redis.call("PTTL", files) < keep_ms then redis.call("PEXPIRE", files, keep_ms) end
return { "stored", entry }
