-- An inbox entry is the journal line that its message becomes: ">", mode letter, message id, run id, body; see mail.ts.
local function mode_of(entry) return string.sub(entry, 2, 2) end

-- The run that the message of an entry opens: the one named there, else one with the message's own id.
local function run_of(entry)
  local id, run = string.match(entry, "^..([^ ]*) ([^ ]*) ")
  return run ~= "" and run or id
end

-- The line by which the message of an entry joins a run that has begun.
local function joining(entry) return "+" .. string.sub(entry, 2) end

-- Moves the first entry of an inbox into a run that has begun; returns its line.
local function join_first(inbox, owned, entry)
  local line = joining(entry)
  redis.call("LPOP", inbox)
  redis.call("RPUSH", owned, line)
  return line
end
