--[[ memory-set.lua
  Remembers one thing of one person, or replaces it, within the person's limits. Bytes count keys and stored values.
  What makes a memory smaller is always stored, even when a lowered limit is already passed. Safe to repeat.
  KEYS  memory      hash key → value, all of one person
  ARGV  key         what it is remembered under
        value       JSON of the entry
        maxEntries  how many entries there may be
        maxBytes    how much they may take together
  Reply "stored" | "too-many" | "too-large" ]]
local memory = KEYS[1]
local key, value, maxEntries, maxBytes = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local before, replaced, entries = 0, 0, 0
local all = redis.call("HGETALL", memory)
for at = 1, #all, 2 do
  local bytes = #all[at] + #all[at + 1]
  before, entries = before + bytes, entries + 1
  if all[at] == key then replaced = bytes end
end
local after = before - replaced + #key + #value
if replaced == 0 and entries >= maxEntries then return "too-many" end
if after > maxBytes and after > before then return "too-large" end
redis.call("HSET", memory, key, value)
return "stored"
