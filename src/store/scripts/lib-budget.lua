-- Shared by the transitions of budgets. A budget is a hash: what was spent under the metric's name, what open
-- reservations hold back under "held:" and that name, and `noticed`, the step that was told of the 80 %.

local METRICS = { "tokens", "money", "steps" }

local function now_ms()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Only for keys that are there: counting into one whose period is long over would leave a key without an end.
local function count(key, prefix, amount, sign)
  if redis.call("EXISTS", key) == 0 then return end
  for index, metric in ipairs(METRICS) do
    if tonumber(amount[index]) ~= 0 then redis.call("HINCRBY", key, prefix .. metric, sign .. amount[index]) end
  end
end

-- What a reservation says: nonce, turn, state, whether the other slot has its part too, estimate, budgets.
local function read_record(record)
  local known = redis.call("HMGET", record, "nonce", "turn", "state", "shared", "tokens", "money", "steps", "budgets")
  if not known[1] then return nil end
  return {
    nonce = known[1], turn = known[2], state = known[3], shared = known[4],
    amount = { known[5], known[6], known[7] }, budgets = known[8],
  }
end

-- Ends a reservation that is held or expired: what it held is given back, `amount` is spent.
local function close(record, holds, known, amount, keep_ms)
  for key in string.gmatch(known.budgets, "%S+") do
    if known.state == "held" then count(key, "held:", known.amount, "-") end
    count(key, "", amount, "")
  end
  redis.call("HSET", record, "state", "closed", "tokens", amount[1], "money", amount[2], "steps", amount[3])
  redis.call("PEXPIRE", record, keep_ms)
  redis.call("ZREM", holds, record)
end

-- Gives back what is held for nobody any more. The records stay: a step that is repeated after all can still be counted.
local function release_expired(holds)
  for _, record in ipairs(redis.call("ZRANGE", holds, "-inf", now_ms(), "BYSCORE", "LIMIT", 0, 100)) do
    local known = read_record(record)
    if known and known.state == "held" then
      for key in string.gmatch(known.budgets, "%S+") do count(key, "held:", known.amount, "-") end
      redis.call("HSET", record, "state", "expired")
    end
    redis.call("ZREM", holds, record)
  end
end

-- What extensions add to a budget's limits at this moment.
local function extended(grants)
  local sum, now = { 0, 0, 0 }, now_ms()
  for _, grant in ipairs(redis.call("HVALS", grants)) do
    local tokens, money, steps, ends = string.match(grant, "^(%d+) (%d+) (%d+) (%d+)$")
    if tonumber(ends) > now then
      sum = { sum[1] + tokens, sum[2] + money, sum[3] + steps }
    end
  end
  return sum
end

-- The budgets of a call, six arguments each: key, key of its extensions, three limits or "", how long it is kept.
local function budgets_from(first)
  local list = {}
  for at = first, #ARGV, 6 do
    local more = extended(ARGV[at + 1])
    local limits = {}
    for index = 1, 3 do
      local limit = ARGV[at + 1 + index]
      limits[index] = limit ~= "" and tonumber(limit) + more[index] or false
    end
    list[#list + 1] = { key = ARGV[at], limits = limits, keep_ms = ARGV[at + 5] }
  end
  return list
end

local function spent(key, prefix)
  local known = redis.call("HMGET", key, prefix .. METRICS[1], prefix .. METRICS[2], prefix .. METRICS[3])
  return { tonumber(known[1] or 0), tonumber(known[2] or 0), tonumber(known[3] or 0) }
end

-- Budgets of which 80 % are spent, each told to one step in its period. That step hears it again when it is repeated.
local function notices(id, budgets)
  local found = {}
  for position, budget in ipairs(budgets) do
    local noticed = redis.call("HGET", budget.key, "noticed")
    if not noticed or noticed == id then
      local used, worst, share = spent(budget.key, ""), nil, 0.8
      for index = 1, 3 do
        local limit = budget.limits[index]
        if limit and limit > 0 and used[index] / limit >= share then worst, share = index, used[index] / limit end
      end
      if worst then
        redis.call("HSET", budget.key, "noticed", id)
        found[#found + 1] = { position - 1, worst - 1, used[worst], budget.limits[worst] }
      end
    end
  end
  return found
end
