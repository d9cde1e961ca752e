--[[ add-api-key.lua
  Keeps a new API key unless there are enough. Safe to repeat.
  KEYS  keys   hash, SHA-256 of a key → what it may do
  ARGV  hash   of the new key
        entry  what it may do, as JSON
        most   how many there may be
  Reply "added" | "full" ]]
local keys, hash, entry, most = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call("HEXISTS", keys, hash) == 1 then return "added" end
if redis.call("HLEN", keys) >= most then return "full" end
redis.call("HSET", keys, hash, entry)
return "added"
