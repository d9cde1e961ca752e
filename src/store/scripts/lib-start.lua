-- Shared by claim and finish: gives a ready lane to a worker. Expects `tag` and `own`.
-- Replies lane, token, run id, attempt, "new" | "resume", lines before this run began, the last of them, its first lines.
local function start(lane, token)
  local state = redis.call("HGET", own, lane)
  if not state then return nil end
  local journal, owned = tag .. "c:" .. lane, owned_name(token)
  if state == "ready" then
    local inbox = tag .. "q:" .. lane
    -- Natively from list to list: the message is written to the append-only file once, when it comes in.
    local entry = redis.call("LMOVE", inbox, journal, "LEFT", "RIGHT")
    if not entry then -- withdrawn
      redis.call("HDEL", own, lane)
      return nil
    end
    redis.call("RENAME", journal, owned)
    local before = redis.call("LLEN", owned) - 1
    local last = before > 0 and redis.call("LINDEX", owned, "-2") or ""
    local opening = { entry }
    while mode_of(entry) == "c" do
      local following = redis.call("LINDEX", inbox, "0")
      if not following or mode_of(following) ~= "c" then break end
      opening[#opening + 1] = join_first(inbox, owned, following)
    end
    local run = run_of(entry) or token
    redis.call("HSET", own, lane, "run|" .. run .. "|1|" .. (before + #opening) .. "|" .. token)
    return { lane, token, run, 1, "new", before, last, opening }
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
  return { lane, token, run, tonumber(attempt), "resume", length, "", {} }
end

-- What a worker already holds under a token, among all it holds: the answer to a command whose first reply was lost.
local function held(token, among)
  local lane = among[token]
  if not lane then return nil end
  local _, run, attempt = parse(redis.call("HGET", own, lane))
  return { lane, token, run, tonumber(attempt), "resume", redis.call("LLEN", owned_name(token)), "", {} }
end
