--[[ repack.lua
  Replaces the archive of a lane that rests by a smaller form of the same lines, unless the lane was used since it was
  read. Either way the lane is not offered for it again before it is compacted again.
  KEYS  own         hash lane → state
        journal     list, the journal while nobody owns it
        archive     string, older history
        rest        sorted set lane → when it was compacted
  ARGV  lane        the lane
        length      how many lines of the journal the caller has read
        last        the last of them
        archive     the new archive, or "" to leave it as it is
        keepMs      how long it is kept, milliseconds
  Reply "repacked" | "changed" ]]
local own, journal, archive, rest = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local lane = ARGV[1]
redis.call("ZREM", rest, lane)
if ARGV[4] == "" or redis.call("HEXISTS", own, lane) == 1 then return "changed" end
if redis.call("LLEN", journal) ~= tonumber(ARGV[2]) then return "changed" end
if (redis.call("LINDEX", journal, -1) or "") ~= ARGV[3] then return "changed" end
redis.call("SET", archive, ARGV[4], "PX", ARGV[5])
return "repacked"
