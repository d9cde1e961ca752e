--[[ admit.lua
  Keeps a message once: notes its id, puts it in the lane's inbox and makes the lane ready when nothing runs there.
  A run that waits for mail gets it in its journal at once and is made ready. The lane's other keys have the same slot
  and are named here from the tag and the lane: every name that is not sent makes the most frequent script cheaper.
  KEYS  own         hash lane → state
        record      string, what became of the message
  ARGV  tag         the partition's hash tag
        lane        the lane
        run         id of the run that the message opens, unique per call: by it a command sent twice is told from a
                    redelivery
        entry       the message as an inbox entry (lib-mail.lua)
        recordMs    how long the record is kept, milliseconds
        maxWaiting  how many may wait
  Reply {"started" | "joined" | "queued" | "duplicate" | "full", how many are ahead, record of the earlier one | ""} ]]
local own, record = KEYS[1], KEYS[2]
local tag, lane, run_id, entry = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local inbox, journal, delay = tag .. "q:" .. lane, tag .. "c:" .. lane, tag .. "delay"
--@include lib-mail.lua
local mine = "waiting " .. run_id
local seen = redis.call("SET", record, mine, "NX", "GET", "PX", ARGV[5])
if seen then
  if seen ~= mine then return { "duplicate", 0, seen } end
  -- The same command again. Its message may have been taken meanwhile, and others may have come.
  local index = redis.call("LPOS", inbox, entry)
  local ahead = index and (redis.call("HGET", own, lane) == "ready" and index or index + 1) or 0
  return { ahead > 0 and "queued" or "started", ahead, "" }
end
if redis.call("HSETNX", own, lane, "ready") == 1 then
  redis.call("RPUSH", inbox, entry)
  line_up(lane)
  return { "started", 0, "" }
end
local state = redis.call("HGET", own, lane)
local kind, run, attempt, mark, rest = parse(state)
if kind == "parked" and string.sub(rest, 1, 1) == "1" then
  redis.call("ZREM", delay, lane)
  if redis.call("RPUSHX", journal, joining(entry)) > 0 then
    make_ready(lane, "resume|" .. run .. "|1|" .. mark .. "|")
    return { "joined", 0, "" }
  end
  -- The journal is gone (erased by hand): nobody waits, the message gets a run of its own.
  redis.call("RPUSH", inbox, entry)
  make_ready(lane, "ready")
  return { "started", 0, "" }
end
local waiting = redis.call("RPUSH", inbox, entry)
if waiting > tonumber(ARGV[6]) then
  redis.call("RPOP", inbox)
  redis.call("DEL", record)
  return { "full", waiting - 1, "" }
end
if kind == "run" and mode_of(entry) == "s" then
  redis.call("PUBLISH", "parley:worker:" .. string.match(rest, "^[^.]*"), "mail " .. rest)
end
local ahead = state == "ready" and waiting - 1 or waiting
return { ahead > 0 and "queued" or "started", ahead, "" }
