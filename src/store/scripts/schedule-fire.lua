--[[ schedule-fire.lua
  Fires slots, each once: if the schedule is still due as it was read, its message is put in the conversation's inbox,
  its next fire is stored and the ledger is written, in one step. Safe to repeat: the second time it is no longer due.
  KEYS  own         hash lane → state
  ARGV  tag         the partition's hash tag
        recordMs    how long the message's record is kept, milliseconds
        maxWaiting  how many messages may wait in a conversation
        count       how many schedules follow, each as: number, retry, due, next ("" for none),
                    status letter ("" to leave it), count of ledger lines, the lines, count of messages,
                    and for each message: conversation, id, inbox entry, ledger line
  Reply {"fired" | "changed" …} in the order of the schedules ]]
local own = KEYS[1]
local tag = ARGV[1]
--@include lib-mail.lua
--@include lib-schedules.lua
local at, replies, touched = 5, {}, {}
local maxWaiting = tonumber(ARGV[3])

-- As admit.lua does for a message from a person, except that it never joins a run that waits for a person's answer.
local function admit_slot(number, conversation, id, entry, line)
  local lane, record = "chat/" .. conversation, tag .. "m:" .. conversation .. " " .. id
  if not redis.call("SET", record, "waiting schedule", "NX", "PX", ARGV[2]) then return end
  if redis.call("RPUSH", tag .. "q:" .. lane, entry) > maxWaiting then
    redis.call("RPOP", tag .. "q:" .. lane)
    redis.call("DEL", record)
    note(number, "s" .. string.sub(line, 2) .. ",full,1")
    return
  end
  if redis.call("HSETNX", own, lane, "ready") == 1 then line_up(lane) end
  note(number, line)
end

for index = 1, tonumber(ARGV[4]) do
  local number, retry, due, following, letter = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local bucket, slot = place(number)
  local lines = tonumber(ARGV[at + 5])
  local messages = tonumber(ARGV[at + 6 + lines])
  local first = at + 7 + lines
  if redis.call("ZSCORE", fires(bucket), slot .. retry) == due then
    for line = 1, lines do note(number, ARGV[at + 5 + line]) end
    for message = first, first + messages * 4 - 4, 4 do
      admit_slot(number, ARGV[message], ARGV[message + 1], ARGV[message + 2], ARGV[message + 3])
    end
    if retry ~= "" or following == "" then
      redis.call("ZREM", fires(bucket), slot .. retry)
    else
      redis.call("ZADD", fires(bucket), following, slot)
    end
    if letter ~= "" then set_status(bucket, slot, letter) end
    touched[bucket] = true
    replies[index] = "fired"
  else
    replies[index] = "changed"
  end
  at = first + messages * 4
end
for bucket in pairs(touched) do settle_bucket(bucket) end
return replies
