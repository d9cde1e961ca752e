--[[ ask-pairing.lua
  Keeps a code by which an administrator may let somebody in; one code per account at a time. Safe to repeat.
  KEYS  pending     sorted set, codes by the moment they end
        of          string, the account's code
        code        string, who asked with the new code
  ARGV  code        the new code, used unless there is one already
        who         JSON about who asks
        now         milliseconds since 1970, only for cleaning up
        keepMs      how long a code is good, milliseconds
        most        how many codes may wait
  Reply the code that is good now, or "" when too many wait ]]
local before = redis.call("GET", KEYS[2])
if before then return before end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", ARGV[3])
if redis.call("ZCARD", KEYS[1]) >= tonumber(ARGV[5]) then return "" end
redis.call("SET", KEYS[3], ARGV[2], "PX", ARGV[4])
redis.call("SET", KEYS[2], ARGV[1], "PX", ARGV[4])
redis.call("ZADD", KEYS[1], tonumber(ARGV[3]) + tonumber(ARGV[4]), ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[4])
return ARGV[1]
