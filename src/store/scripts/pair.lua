--[[ pair.lua
  Lets the account in that asked with a code. Safe to repeat.
  KEYS  allowed     hash, account to JSON about who let it in
        code        string, JSON about who asked
        pending     sorted set, codes that wait
  ARGV  code        the code
        by          who lets it in
        at          milliseconds since 1970
        most        how many accounts may be let in
  Reply JSON about the account | "unknown" | "full" ]]
local who = redis.call("GET", KEYS[2])
if not who then return "unknown" end
local asked = cjson.decode(who)
if redis.call("HEXISTS", KEYS[1], asked.account) == 0 then
  if redis.call("HLEN", KEYS[1]) >= tonumber(ARGV[4]) then return "full" end
  local entry = cjson.encode({ name = asked.name, by = ARGV[2], at = tonumber(ARGV[3]) })
  redis.call("HSET", KEYS[1], asked.account, entry)
end
redis.call("ZREM", KEYS[3], ARGV[1])
return who
