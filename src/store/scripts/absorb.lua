--[[ absorb.lua
  Joins waiting messages that ask to be steered into the current run to its journal, oldest first.
  Safe to repeat with the same nonce, also when other steps of the run have been written in between.
  KEYS  owned       list, the journal while the token owns it
        inbox       list, messages nobody has taken yet
  ARGV  nonce       unique per call
        known       how many lines of the journal the caller knows, at least 1
  Reply the line that was added, "" when there was nothing, "lost" when the run is no longer the caller's ]]
local owned, inbox = KEYS[1], KEYS[2]
local head = '+{"n":"' .. ARGV[1] .. '",'
local recent = redis.call("LRANGE", owned, ARGV[2] - 1, -1)
if #recent == 0 then return "lost" end
for _, line in ipairs(recent) do
  if string.sub(line, 1, #head) == head then return line end
end
local bodies = {}
while true do
  local entry = redis.call("LINDEX", inbox, 0)
  if not entry or string.sub(entry, 1, 1) ~= "s" then break end
  redis.call("LPOP", inbox)
  bodies[#bodies + 1] = string.sub(entry, string.find(entry, "\n", 1, true) + 1)
end
if #bodies == 0 then return "" end
local t = redis.call("TIME")
local line = head .. '"at":' .. (t[1] * 1000 + math.floor(t[2] / 1000)) .. ',"in":[' .. table.concat(bodies, ",") .. "]}"
redis.call("RPUSH", owned, line)
return line
