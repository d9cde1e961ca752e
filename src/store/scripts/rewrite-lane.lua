--[[ rewrite-lane.lua
  Replaces all a lane remembers, unless a run owns it or it was used since it was read. Safe to repeat: the second time
  it has more lines than were read. A run that waits goes on with the new lines: its own must be among them.
  KEYS  own         hash lane → state
        journal     list, the journal while nobody owns it
        archive     string, older history
        cold        sorted set, lanes to compact
  ARGV  lane        the lane
        length      how many lines the caller has read
        last        the last of them, or ""
        archive     the new archive, or "" for none
        lines       how many new lines follow; more than there were
  Reply "rewritten" | "changed" | "busy" ]]
local own, journal, archive, cold = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
if string.sub(redis.call("HGET", own, ARGV[1]) or "", 1, 4) == "run|" then return "busy" end
if redis.call("LLEN", journal) ~= tonumber(ARGV[2]) then return "changed" end
if (redis.call("LINDEX", journal, -1) or "") ~= ARGV[3] then return "changed" end
local count = tonumber(ARGV[5])
redis.call("DEL", journal)
-- In slices: Lua's stack holds only so many.
for from = 6, 5 + count, 500 do
  redis.call("RPUSH", journal, unpack(ARGV, from, math.min(from + 499, 5 + count)))
end
-- As after a run: whoever compacts it says when it ends.
redis.call("ZADD", cold, "NX", redis.call("TIME")[1] * 1000, ARGV[1])
if ARGV[4] == "" then redis.call("DEL", archive) else redis.call("SET", archive, ARGV[4], "KEEPTTL") end
return "rewritten"
