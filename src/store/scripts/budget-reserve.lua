--[[ budget-reserve.lua
  Holds back what a step may cost in all budgets of one slot, or in none of them. A step's budgets lie in two slots at
  most; its own slot decides first and gives the turn that the other one goes by. Safe to repeat with the same nonce.
  KEYS  record   hash, the step's reservation in this slot
        holds    sorted set, held reservations of this slot by deadline
  ARGV  id       the step
        nonce    names this attempt at it
        turn     "" in the step's own slot, else what that one replied
        shared   1 when the other slot gets its part too
        tokens   the estimate
        money    the estimate, in millionths
        steps    the estimate
        holdMs   after how long it is held for nobody any more, milliseconds
        keepMs   how long a reservation that nobody ends is kept, milliseconds
        endedMs  how long one that ended is remembered, milliseconds
        (then for each budget: its key, the key of its extensions, three limits or "", how long it is kept)
  Reply {"reserved", turn, "", "", {{budget, metric, spent, limit}… of which 80 % are spent}}
        | {"refused", turn, "", "", {{budget, metric, spent and held, limit}…}}
        | {"earlier", its turn, its nonce, its shared, {}} an earlier attempt was not ended
        | {"lost", "", "", "", {}} a later attempt was here, or this one was ended already ]]
local record, holds = KEYS[1], KEYS[2]
local id, nonce, turn, shared = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local estimate = { ARGV[5], ARGV[6], ARGV[7] }
local hold_ms, keep_ms, ended_ms = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
--@include lib-budget.lua
release_expired(holds)
local known = read_record(record)
local budgets = budgets_from(11)
if known and known.nonce == nonce then
  if known.state == "closed" then return { "lost", "", "", "", {} } end
  return { "reserved", known.turn, "", "", notices(id, budgets) }
end
if known and turn == "" and known.state ~= "closed" then
  return { "earlier", known.turn, known.nonce, known.shared, {} }
end
if known and turn ~= "" then
  if tonumber(known.turn) >= tonumber(turn) then return { "lost", "", "", "", {} } end
  -- The own slot has let go of that attempt without a word to this one: its key was erased.
  if known.state ~= "closed" then close(record, holds, known, known.amount, ended_ms) end
end
if turn == "" then
  local time = redis.call("TIME")
  turn = string.format("%.0f", math.max(time[1] * 1000000 + time[2], known and tonumber(known.turn) + 1 or 0))
end

local over = {}
for position, budget in ipairs(budgets) do
  local used, held = spent(budget.key, ""), spent(budget.key, "held:")
  for index = 1, 3 do
    local limit, taken = budget.limits[index], used[index] + held[index]
    if limit and taken + tonumber(estimate[index]) > limit then
      over[#over + 1] = { position - 1, index - 1, taken, limit }
    end
  end
end
if #over > 0 then return { "refused", turn, "", "", over } end

local keys = {}
for _, budget in ipairs(budgets) do
  redis.call("HSETNX", budget.key, METRICS[1], 0)
  redis.call("PEXPIRE", budget.key, budget.keep_ms)
  count(budget.key, "held:", estimate, "")
  keys[#keys + 1] = budget.key
end
local deadline = string.format("%.0f", now_ms() + hold_ms)
redis.call("HSET", record, "nonce", nonce, "turn", turn, "state", "held", "shared", shared, "tokens", estimate[1],
  "money", estimate[2], "steps", estimate[3], "budgets", table.concat(keys, " "))
redis.call("PEXPIRE", record, keep_ms)
redis.call("ZADD", holds, deadline, record)
redis.call("PEXPIRE", holds, keep_ms)
return { "reserved", turn, "", "", notices(id, budgets) }
