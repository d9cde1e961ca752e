--[[ breaker-pass.lua
  Tells whether a model entry may be asked. After a pause that too many failures brought about, one call at a time gets
  the probe; the others wait for what becomes of it. Safe to repeat with the same token.
  KEYS  state    hash, what is known of the entry's failures
  ARGV  token    names the call, "" only to look
        probeMs  how long a probe may take, milliseconds
        keepMs   how long an entry nobody asks is remembered, milliseconds
  Reply {"go", failures counted, ""} | {"probe", 0, ""} | {"wait", milliseconds, code of the last failure} ]]
local state, token, probe_ms, keep_ms = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call("HMGET", state, "until", "open", "probe", "probeUntil", "code", "failures")
local code = known[5] or ""
local wait = tonumber(known[1] or 0) - now
if wait > 0 then return { "wait", wait, code } end
if not known[2] then
  local _, failures = string.gsub(known[6] or "", "@", "")
  return { "go", failures, "" }
end
local probing = tonumber(known[4] or 0) - now
if known[3] and known[3] ~= token and probing > 0 then
  -- How long it may take says nothing about how long it will: look again soon.
  return { "wait", math.min(probing, 1000), code }
end
if token ~= "" then
  redis.call("HSET", state, "probe", token, "probeUntil", now + probe_ms)
  redis.call("PEXPIRE", state, probe_ms + keep_ms)
end
return { "probe", 0, "" }
