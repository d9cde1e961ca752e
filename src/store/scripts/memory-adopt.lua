--[[ memory-adopt.lua
  Takes over one thing another account was told, unless something stands under its key or there is no room.
  Safe to repeat: the same entry is adopted again.
  KEYS  memory      hash key → value, all of one person
  ARGV  key         what it is remembered under
        value       JSON of the entry
        maxEntries  how many entries there may be
        maxBytes    how much they may take together
  Reply "adopted" | "left" ]]
local memory, key, value = KEYS[1], ARGV[1], ARGV[2]
local present = redis.call("HGET", memory, key)
if present then return present == value and "adopted" or "left" end
local bytes, entries = #key + #value, 1
local all = redis.call("HGETALL", memory)
for at = 1, #all, 2 do
  bytes, entries = bytes + #all[at] + #all[at + 1], entries + 1
end
if entries > tonumber(ARGV[3]) or bytes > tonumber(ARGV[4]) then return "left" end
redis.call("HSET", memory, key, value)
return "adopted"
