--[[ clear-field.lua
  Removes a field of a hash if it still has the value the caller saw. Safe to repeat.
  KEYS  hash        the hash
  ARGV  field       the field
        value       what it has to be
  Reply "cleared" | "other" ]]
if redis.call("HGET", KEYS[1], ARGV[1]) ~= ARGV[2] then return "other" end
redis.call("HDEL", KEYS[1], ARGV[1])
return "cleared"
