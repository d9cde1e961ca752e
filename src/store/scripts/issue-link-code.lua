--[[ issue-link-code.lua
  Keeps a new one-time code of a workspace and ends the one before. Safe to repeat.
  KEYS  codes       string, what the new code is for
        current     string, the hash of the workspace's code
  ARGV  workspace   the workspace that accounts join by it
        hash        the new code's hash
        keepMs      how long it is good, milliseconds
  Reply "issued" ]]
local before = redis.call("SET", KEYS[2], ARGV[2], "GET", "PX", ARGV[3])
if before and before ~= ARGV[2] then redis.call("DEL", "{links}:code:" .. before) end
redis.call("SET", KEYS[1], "for " .. ARGV[1], "PX", ARGV[3])
return "issued"
