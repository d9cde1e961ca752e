--[[ compact.lua
  Moves the older part of an idle lane's journal into its archive, unless the lane was used since it was read.
  KEYS  own         hash lane → state
        journal     list, the journal while nobody owns it
        archive     string, older history
        cold        sorted set lane → when it was last used
  ARGV  lane        the lane
        length      how many lines the caller has read
        last        the last of them
        trim        how many of the oldest are in the new archive
        archive     the new archive
        keepMs      how long it is kept, milliseconds
  Reply "compacted" | "changed" ]]
local own, journal, archive, cold = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
if redis.call("HEXISTS", own, ARGV[1]) == 1 then
  redis.call("ZREM", cold, ARGV[1]) -- the end of its run puts it back; until then it would be looked at again and again
  return "changed"
end
if redis.call("LLEN", journal) ~= tonumber(ARGV[2]) then return "changed" end
if redis.call("LINDEX", journal, -1) ~= ARGV[3] then return "changed" end
redis.call("SET", archive, ARGV[5], "PX", ARGV[6])
redis.call("LTRIM", journal, ARGV[4], -1)
redis.call("ZREM", cold, ARGV[1])
return "compacted"
