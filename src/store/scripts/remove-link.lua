--[[ remove-link.lua
  Lets an account stand for itself again. Safe to repeat.
  KEYS  of          hash account → the workspace it stands for
        linked      hash account → since when, all of one workspace
  ARGV  identity    the account
        workspace   the workspace it has to be linked to
  Reply "removed" | "none" ]]
redis.call("HDEL", KEYS[2], ARGV[1])
if redis.call("HGET", KEYS[1], ARGV[1]) ~= ARGV[2] then return "none" end
redis.call("HDEL", KEYS[1], ARGV[1])
return "removed"
