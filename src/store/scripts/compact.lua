--[[ compact.lua
  Moves the older part of an idle lane's journal into its archive, and says when both end, unless the lane was used since
  it was read. A lane that leaves the set of those to compact always has an end, or a run that puts it back.
  KEYS  own         hash lane → state
        journal     list, the journal while nobody owns it
        archive     string, older history
        cold        sorted set lane → when it was first used since it was compacted
        rest        sorted set lane → when it was compacted
  ARGV  lane        the lane
        length      how many lines the caller has read
        last        the last of them
        trim        how many of the oldest are in the new archive
        archive     the new archive, or "" to leave it as it is
        keepMs      how long it is kept, milliseconds
  Reply "compacted" | "changed" ]]
local own, journal, archive, cold, rest = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local lane, trim, packed, keep_ms = ARGV[1], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local state = redis.call("HGET", own, lane)
if state then
  -- The end of its run puts it back; until then it would be looked at again and again. A lane that is only ready may
  -- come to rest without a run, when its message is withdrawn.
  if state ~= "ready" then redis.call("ZREM", cold, lane) end
  return "changed"
end
if redis.call("LLEN", journal) ~= tonumber(ARGV[2]) then return "changed" end
if (redis.call("LINDEX", journal, -1) or "") ~= ARGV[3] then return "changed" end
if packed == "" then
  redis.call("PEXPIRE", archive, keep_ms)
else
  redis.call("SET", archive, packed, "PX", keep_ms)
  redis.call("ZADD", rest, redis.call("TIME")[1] * 1000, lane)
end
if trim > 0 then redis.call("LTRIM", journal, trim, -1) end
redis.call("PEXPIRE", journal, keep_ms)
redis.call("ZREM", cold, lane)
return "compacted"
