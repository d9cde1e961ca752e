--[[ reach-channel.lua
  Notes how far a channel was read, only ever forward, and forgets the channels that were silent longest. Safe to repeat.
  KEYS  channels    sorted set, channel by the time of its latest message
        cursors     hash, channel to place
  ARGV  channel     the channel
        cursor      the place, as the platform names it
        at          the time of that message, milliseconds since 1970
        most        how many channels are remembered
        keepMs      how long all of it is kept without use, milliseconds
  Reply "reached" | "behind" ]]
local before = redis.call("ZSCORE", KEYS[1], ARGV[1])
if before and tonumber(before) > tonumber(ARGV[3]) then return "behind" end
redis.call("ZADD", KEYS[1], ARGV[3], ARGV[1])
redis.call("HSET", KEYS[2], ARGV[1], ARGV[2])
local extra = redis.call("ZCARD", KEYS[1]) - tonumber(ARGV[4])
if extra > 0 then
  for _, channel in ipairs(redis.call("ZRANGE", KEYS[1], 0, extra - 1)) do
    redis.call("ZREM", KEYS[1], channel)
    redis.call("HDEL", KEYS[2], channel)
  end
end
redis.call("PEXPIRE", KEYS[1], ARGV[5])
redis.call("PEXPIRE", KEYS[2], ARGV[5])
return "reached"
