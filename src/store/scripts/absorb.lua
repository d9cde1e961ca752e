--[[ absorb.lua
  Joins waiting messages that ask to be steered into the current run to its journal, oldest first.
  Safe to repeat: the second time it finds what joined the first time and takes no more.
  KEYS  owned       list, the journal while the token owns it
        inbox       list, messages nobody has taken yet
  ARGV  known       how many lines of the journal the caller knows, at least 1
  Reply the lines of messages that joined beyond those, or "lost" when the run is no longer the caller's ]]
local owned, inbox = KEYS[1], KEYS[2]
--@include lib-entry.lua
local recent = redis.call("LRANGE", owned, ARGV[1] - 1, -1)
if #recent == 0 then return "lost" end
local joined = {}
for index = 2, #recent do
  if string.sub(recent[index], 1, 1) == "+" then joined[#joined + 1] = recent[index] end
end
if #joined > 0 then return joined end
while true do
  local entry = redis.call("LINDEX", inbox, 0)
  if not entry or mode_of(entry) ~= "s" then break end
  joined[#joined + 1] = join_first(inbox, owned, entry)
end
return joined
