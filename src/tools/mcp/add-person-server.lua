--[[ add-person-server.lua
  Adds an MCP server to one person's own. Safe to repeat.
  KEYS  servers  hash name → JSON of the server, all of one person
  ARGV  name     what it is called
        server   JSON of the server
        most     how many there may be
  Reply "added" | "taken" | "full" ]]
local servers = KEYS[1]
local name, server, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local there = redis.call("HGET", servers, name)
if there == server then return "added" end
if there then return "taken" end
if redis.call("HLEN", servers) >= most then return "full" end
redis.call("HSET", servers, name, server)
return "added"
