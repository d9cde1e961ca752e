-- Shared by the transitions that put something in a lane. Expects `tag` and KEYS names `own`, `bell`.

-- One token per lane made ready; the bell holds no state, so a bound costs nothing but a later look.
local function ring()
  if redis.call("LLEN", bell) < 64 then redis.call("RPUSH", bell, "1") end
end

local function now_ms()
  local t = redis.call("TIME")
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function kind_of(lane) return string.match(lane, "^[^/]+") end

-- state|run|attempt|mark|rest, see ARCHITECTURE.md
local function parse(state) return string.match(state, "^(%a+)|([^|]*)|(%d+)|(%d+)|(.*)$") end

-- The journal of a lane under the name that the token of a run gives it; nobody else can append to that.
local function owned_name(journal, token) return journal .. " " .. token end

local function make_ready(lane, state)
  redis.call("HSET", own, lane, state)
  redis.call("RPUSH", tag .. "ready:" .. kind_of(lane), lane)
  ring()
end

-- Lets a lane go on without a run: with its next message, or idle.
local function release(lane)
  if redis.call("LLEN", tag .. "q:" .. lane) > 0 then make_ready(lane, "ready") else redis.call("HDEL", own, lane) end
end

local function body_of(entry) return string.sub(entry, string.find(entry, "\n", 1, true) + 1) end

local function put(lane, entry)
  redis.call("RPUSH", tag .. "q:" .. lane, entry)
  if redis.call("HSETNX", own, lane, "ready") == 1 then
    redis.call("RPUSH", tag .. "ready:" .. kind_of(lane), lane)
    ring()
  end
end
