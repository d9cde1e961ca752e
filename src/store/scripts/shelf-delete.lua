--[[ shelf-delete.lua
  Deletes one of a person's files with all its parts. Safe to repeat.
  KEYS  files   hash id → "bytes parts at ends about", all files of one kind of one person
  ARGV  prefix  the parts are the strings `prefix id:n`, without the space
        id      the file
  Reply "deleted" | "unknown" ]]
local files, prefix, id = KEYS[1], ARGV[1], ARGV[2]
local entry = redis.call("HGET", files, id)
if not entry then return "unknown" end
redis.call("HDEL", files, id)
for part = 0, tonumber(string.match(entry, "^%d+ (%d+)")) - 1 do redis.call("UNLINK", prefix .. id .. ":" .. part) end
return "deleted"
