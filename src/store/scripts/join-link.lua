--[[ join-link.lua
  Links an account to the workspace of a one-time code. The code is used up by the first account that gives it; the same
  account giving it again gets the same reply. Who is linked has no links itself, so every link ends after one step.
  KEYS  of          hash account → the workspace it stands for
        code        string, "for <workspace>" | "used <account>", or nothing
        tries       string, wrong codes this account gave lately
  ARGV  identity    the account
        at          now, for the list
        most        how many accounts may be linked to one workspace
        wrong       how many wrong codes an account may give in the time a code lives
        keepMs      that time, milliseconds
  Reply {"joined" | "already" | "elsewhere" | "own" | "has-links" | "full" | "unknown" | "slow-down", the workspace | ""} ]]
local of, code, tries = KEYS[1], KEYS[2], KEYS[3]
local identity = ARGV[1]
local value = redis.call("GET", code)
local present = redis.call("HGET", of, identity)
if value == "used " .. identity and present then return { "joined", present } end
if tonumber(redis.call("GET", tries) or "0") >= tonumber(ARGV[4]) then return { "slow-down", "" } end
local workspace = value and string.match(value, "^for (.+)$")
-- A workspace that joined another one since it made the code stands for itself no more.
if not workspace or redis.call("HEXISTS", of, workspace) == 1 then
  redis.call("INCR", tries)
  redis.call("PEXPIRE", tries, ARGV[5])
  return { "unknown", "" }
end
if workspace == identity then return { "own", "" } end
if present == workspace then return { "already", workspace } end
if present then return { "elsewhere", present } end
if redis.call("HLEN", "{links}:to:" .. identity) > 0 then return { "has-links", "" } end
local linked = "{links}:to:" .. workspace
if redis.call("HLEN", linked) >= tonumber(ARGV[3]) then return { "full", "" } end
redis.call("HSET", of, identity, workspace)
redis.call("HSET", linked, identity, ARGV[2])
redis.call("SET", code, "used " .. identity, "KEEPTTL")
redis.call("DEL", tries)
return { "joined", workspace }
