--[[ change-waiting.lua
  Changes or withdraws a message that still waits in the inbox. Safe to repeat.
  KEYS  inbox       list, messages nobody has taken yet
        record      string, what became of the message
  ARGV  id          the message
        body        the new body, or "" to withdraw
        recordMs    how long the record is kept, milliseconds
  Reply "changed" | "withdrawn" | "taken" (a run has it or had it) | "unknown" ]]
local inbox, record = KEYS[1], KEYS[2]
local seen = redis.call("GET", record)
if not seen then return "unknown" end
if seen == "withdrawn" then return ARGV[2] == "" and "withdrawn" or "taken" end
local mark = ARGV[1] .. " "
for index, entry in ipairs(redis.call("LRANGE", inbox, 0, -1)) do
  if string.sub(entry, 3, #mark + 2) == mark then
    if ARGV[2] == "" then
      redis.call("LREM", inbox, 1, entry)
      redis.call("SET", record, "withdrawn", "PX", ARGV[3])
      return "withdrawn"
    end
    redis.call("LSET", inbox, index - 1, string.match(entry, "^[^ ]* [^ ]* ") .. ARGV[2])
    return "changed"
  end
end
return "taken"
