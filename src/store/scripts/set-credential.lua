--[[ set-credential.lua
  Keeps a credential of one person, or replaces it, unless they have enough. Safe to repeat.
  KEYS  credentials  hash name → sealed credential, all of one person
  ARGV  name         what it is called
        sealed       JSON of the sealed credential
        most         how many there may be
  Reply "stored" | "full" ]]
local credentials, name, sealed, most = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call("HEXISTS", credentials, name) == 0 and redis.call("HLEN", credentials) >= most then return "full" end
redis.call("HSET", credentials, name, sealed)
return "stored"
