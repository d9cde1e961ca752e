-- Shared by claim and finish: gives a ready lane to a worker. Expects `tag` and `own`.
-- Replies lane, token, run id, attempt, "new" | "resume", lines before this run began, the last of them, the opening line.
local function start(lane, token)
  local state = redis.call("HGET", own, lane)
  if not state then return nil end
  local journal = tag .. "c:" .. lane
  local owned = owned_name(journal, token)
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
    local last = redis.call("LINDEX", journal, -1)
    if last then redis.call("RENAME", journal, owned) end
    local line = '>{"run":"' .. token .. '","at":' .. now_ms() .. ',"in":[' .. bodies .. "]}"
    local length = redis.call("RPUSH", owned, line) - 1
    redis.call("HSET", own, lane, "run|" .. token .. "|1|" .. (length + 1) .. "|" .. token)
    return { lane, token, token, 1, "new", length, last or "", line }
  end
  local kind, run, attempt = parse(state)
  if kind ~= "resume" then return nil end -- a stale entry of the ready list
  local length = redis.call("LLEN", journal)
  if length == 0 then -- the journal is gone (erased by hand): there is nothing to resume
    release(lane)
    return nil
  end
  redis.call("RENAME", journal, owned)
  redis.call("HSET", own, lane, "run|" .. run .. "|" .. attempt .. "|" .. length .. "|" .. token)
  return { lane, token, run, tonumber(attempt), "resume", length, "", "" }
end

-- What a worker already holds under a token, among all it holds: the answer to a command whose first reply was lost.
local function held(token, among)
  local lane = among[token]
  if not lane then return nil end
  local _, run, attempt = parse(redis.call("HGET", own, lane))
  local length = redis.call("LLEN", owned_name(tag .. "c:" .. lane, token))
  return { lane, token, run, tonumber(attempt), "resume", length, "", "" }
end
