--[[ absorb.lua
  Joins waiting messages that ask to be steered into the current run to its journal, oldest first.
  Safe to repeat with the same nonce as long as the run has written nothing since.
  KEYS  owned       list, the journal while the token owns it
        inbox       list, messages nobody has taken yet
  ARGV  nonce       unique per call
  Reply the line that was added, "" when there was nothing, "lost" when the run is no longer the caller's ]]
local owned, inbox = KEYS[1], KEYS[2]
local last = redis.call("LINDEX", owned, -1)
if not last then return "lost" end
local head = '+{"n":"' .. ARGV[1] .. '",'
if string.sub(last, 1, #head) == head then return last end
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
