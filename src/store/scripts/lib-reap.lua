-- Shared by beat and reap: unregisters a worker and puts its runs at the head of the line. Expects `tag`, `own`, `workers`, `delay`.
-- A run that was taken again and again without writing one line is held back, longer each time: it may be what kills us.
local function reap(worker, now)
  redis.call("ZREM", workers, worker)
  local taken = 0
  local runs, in_line = runs_of(worker)
  for token, lane in pairs(runs) do
    local _, run, attempt, mark = parse(redis.call("HGET", own, lane))
    local journal = tag .. "c:" .. lane
    local length = redis.call("LLEN", owned_name(token))
    if length == 0 then
      release(lane) -- the journal is gone (erased by hand): there is nothing to take over
    else
      taken = taken + 1
      redis.call("RENAME", owned_name(token), journal)
      local tries = length > tonumber(mark) and 1 or tonumber(attempt) + 1
      if tries <= 5 then
        redis.call("HSET", own, lane, "resume|" .. run .. "|" .. tries .. "|" .. length .. "|")
        redis.call("LPUSH", tag .. "ready:" .. kind_of(lane), lane)
        in_line[kind_of(lane)] = true
      else
        redis.call("HSET", own, lane, "parked|" .. run .. "|" .. tries .. "|" .. length .. "|0|")
        redis.call("ZADD", delay, now + math.min(30000, 500 * 2 ^ (tries - 5)), lane)
      end
    end
  end
  -- Also when it held nothing: a bell may have rung for it while it was going.
  for kind in pairs(in_line) do ring(kind) end
  redis.call("DEL", tag .. "w:" .. worker)
  return taken
end
