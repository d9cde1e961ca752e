-- Shared by claim and finish: gives a ready lane to a worker. Expects `tag`, `own`, `runs`.
-- Replies lane, token, run id, attempt, "new" | "resume", lines before this run began, the last of them, the opening line.
local function start(lane, token)
  local state = redis.call("HGET", own, lane)
  if not state then return nil end
  local journal = tag .. "c:" .. lane
  local owned = journal .. "|" .. token
  if state == "ready" then
    local inbox = tag .. "q:" .. lane
    local entry = redis.call("LPOP", inbox)
    if not entry then
      redis.call("HDEL", own, lane)
      return nil
    end
    local bodies = body_of(entry)
    if string.sub(entry, 1, 1) == "c" then
      while true do
        local following = redis.call("LINDEX", inbox, 0)
        if not following or string.sub(following, 1, 1) ~= "c" then break end
        redis.call("LPOP", inbox)
        bodies = bodies .. "," .. body_of(following)
      end
    end
    local length, last = redis.call("LLEN", journal), ""
    if length > 0 then
      last = redis.call("LINDEX", journal, -1)
      redis.call("RENAME", journal, owned)
    end
    local line = '>{"run":"' .. token .. '","at":' .. now_ms() .. ',"in":[' .. bodies .. "]}"
    redis.call("RPUSH", owned, line)
    redis.call("HSET", own, lane, "run|" .. token .. "|1|" .. (length + 1) .. "|" .. token)
    redis.call("HSET", runs, token, lane)
    return { lane, token, token, 1, "new", length, last, line }
  end
  local kind, run, attempt = parse(state)
  if kind ~= "resume" then return nil end -- a stale entry of the ready list
  local length = redis.call("LLEN", journal)
  if length == 0 then -- the journal is gone (erased by hand): there is nothing to resume
    redis.call("HDEL", own, lane)
    if redis.call("LLEN", tag .. "q:" .. lane) > 0 then make_ready(lane, "ready") end
    return nil
  end
  redis.call("RENAME", journal, owned)
  redis.call("HSET", own, lane, "run|" .. run .. "|" .. attempt .. "|" .. length .. "|" .. token)
  redis.call("HSET", runs, token, lane)
  return { lane, token, run, tonumber(attempt), "resume", length, "", "" }
end

-- What a worker already holds under a token: the answer to a command whose first reply was lost.
local function held(token)
  local lane = redis.call("HGET", runs, token)
  if not lane then return nil end
  local _, run, attempt = parse(redis.call("HGET", own, lane))
  local length = redis.call("LLEN", tag .. "c:" .. lane .. "|" .. token)
  return { lane, token, run, tonumber(attempt), "resume", length, "", "" }
end
