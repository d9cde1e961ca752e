--[[ breaker-report.lua
  Notes how a call to a model entry ended. A failure with a wait of its own pauses the entry for as long; others are
  counted, an answer takes the oldest back, and too many within the window pause the entry. A probe that was answered
  forgets everything; one that failed pauses it for twice as long as before. Safe to repeat with the same token.
  KEYS  state      hash, what is known of the entry's failures
  ARGV  token      names the call
        how        failed, answered or dropped
        code       why it failed
        waitMs     how long the provider asked to be left alone, milliseconds, 0 when it did not
        failures   how many within the window pause the entry
        windowMs   the window, milliseconds
        openMs     the first pause, milliseconds
        maxOpenMs  the longest pause, milliseconds
        keepMs     how long an entry nobody asks is remembered, milliseconds
  Reply "closed" | "open" ]]
local state, token, how, code = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local wait_ms, limit, window_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local open_ms, max_open_ms, keep_ms = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call("HMGET", state, "until", "open", "probe", "failures", "answered")
local open, is_probe = tonumber(known[2] or 0), known[3] == token
local until_ms = tonumber(known[1] or 0)

local function recent()
  local list = {}
  for name, at in string.gmatch(known[4] or "", "(%S+)@(%d+)") do
    if tonumber(at) > now - window_ms then list[#list + 1] = name .. "@" .. at end
  end
  return list
end

local function keep(fields)
  redis.call("HSET", state, unpack(fields))
  redis.call("PEXPIRE", state, math.max(window_ms, until_ms - now) + keep_ms)
end

if how == "dropped" then
  if is_probe then redis.call("HDEL", state, "probe", "probeUntil") end
elseif how == "answered" then
  if is_probe then
    redis.call("DEL", state)
    open = 0
  elseif open == 0 and known[4] and known[5] ~= token then
    local list = recent()
    table.remove(list, 1)
    keep({ "failures", table.concat(list, " "), "answered", token })
  end
else
  if wait_ms > 0 then until_ms = math.max(until_ms, now + wait_ms) end
  if is_probe then
    open = open + 1
    until_ms = math.max(until_ms, now + math.min(max_open_ms, open_ms * 2 ^ (open - 1)))
    redis.call("HDEL", state, "probe", "probeUntil")
    keep({ "open", open, "until", until_ms, "code", code })
  elseif open > 0 or wait_ms > 0 then
    -- A call from before the pause, or one whose provider says itself for how long.
    keep({ "until", until_ms, "code", code })
  else
    local list = recent()
    if not string.find(" " .. table.concat(list, " "), " " .. token .. "@", 1, true) then
      list[#list + 1] = token .. "@" .. string.format("%.0f", now)
    end
    if #list >= limit then
      open = 1
      until_ms = math.max(until_ms, now + open_ms)
      redis.call("HDEL", state, "failures")
      keep({ "open", open, "until", until_ms, "code", code })
    else
      keep({ "failures", table.concat(list, " "), "code", code })
    end
  end
end
return open > 0 and "open" or "closed"
