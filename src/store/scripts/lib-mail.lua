-- Shared by the transitions that put something in a lane. Expects `tag` and `own`.
--@include lib-entry.lua

-- Wakes one worker that runs this kind. The bell says that somebody should look, so one ring is enough: who takes it off
-- claims, and claiming rings again when something is left in line.
local function ring(kind)
  local bell = tag .. "bell:" .. kind
  if redis.call("EXISTS", bell) == 0 then redis.call("RPUSH", bell, 1) end
end

-- Time stands still while a script runs.
local now
local function now_ms()
  if not now then
    local t = redis.call("TIME")
    now = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  return now
end

local function kind_of(lane) return string.match(lane, "^[^/]+") end

-- state|run|attempt|mark|rest, see ARCHITECTURE.md
local function parse(state) return string.match(state, "^(%a+)|([^|]*)|(%d+)|(%d+)|(.*)$") end

-- The journal of a lane under the name that the token of a run gives it; nobody else can append to that.
local function owned_name(token) return tag .. "j:" .. token end

-- The runs a worker holds, token → lane, and the kinds of the lanes that are in line, kind → true. Looks through all
-- lanes that are not idle, so it is for what is rare.
local function runs_of(worker)
  local states, found, in_line, prefix = redis.call("HGETALL", own), {}, {}, worker .. "."
  for index = 1, #states, 2 do
    local lane, state = states[index], states[index + 1]
    if string.sub(state, 1, 2) == "re" then -- ready, resume
      in_line[kind_of(lane)] = true
    elseif string.find(state, prefix, 1, true) then
      local word, _, _, _, holder = parse(state)
      if word == "run" and string.sub(holder, 1, #prefix) == prefix then found[holder] = lane end
    end
  end
  return found, in_line
end

-- Puts a lane that just became ready at the end of the line.
local function line_up(lane)
  local kind = kind_of(lane)
  redis.call("RPUSH", tag .. "ready:" .. kind, lane)
  ring(kind)
end

local function make_ready(lane, state)
  redis.call("HSET", own, lane, state)
  line_up(lane)
end

-- Lets a lane go on without a run: with its next message, or idle.
local function release(lane)
  if redis.call("LLEN", tag .. "q:" .. lane) > 0 then make_ready(lane, "ready") else redis.call("HDEL", own, lane) end
end

local function put(lane, entry)
  redis.call("RPUSH", tag .. "q:" .. lane, entry)
  if redis.call("HSETNX", own, lane, "ready") == 1 then line_up(lane) end
end
