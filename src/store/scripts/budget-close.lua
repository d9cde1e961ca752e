--[[ budget-close.lua
  Ends a reservation in one slot: gives back what it held and counts what was spent. Where there is none of this attempt
  its place is taken, so that it cannot be made afterwards. Safe to repeat: the first amount counts.
  KEYS  record   hash, the step's reservation in this slot
        holds    sorted set, held reservations of this slot by deadline
  ARGV  id       the step
        nonce    names the attempt
        turn     the turn its own slot gave it
        how      actual, or estimate to count what was held back
        tokens   what was spent
        money    what was spent, in millionths
        steps    what was spent
        endedMs  how long the reservation is remembered, milliseconds
        (then for each budget: its key, the key of its extensions, three limits or "", how long it is kept)
  Reply {"closed", tokens, money, steps, {{budget, metric, spent, limit}… of which 80 % are spent}}
        | {"none", 0, 0, 0, {}} this attempt held nothing here | {"lost", 0, 0, 0, {}} a later attempt was here ]]
local record, holds = KEYS[1], KEYS[2]
local id, nonce, turn, how = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local amount, ended_ms = { ARGV[5], ARGV[6], ARGV[7] }, tonumber(ARGV[8])
--@include lib-budget.lua
release_expired(holds)
local known = read_record(record)
if known and known.nonce ~= nonce and tonumber(known.turn) > tonumber(turn) then return { "lost", 0, 0, 0, {} } end
if not known or known.nonce ~= nonce then
  if known and known.state ~= "closed" then close(record, holds, known, known.amount, ended_ms) end
  redis.call("HSET", record, "nonce", nonce, "turn", turn, "state", "closed", "shared", "", "tokens", 0, "money", 0,
    "steps", 0, "budgets", "")
  redis.call("PEXPIRE", record, ended_ms)
  return { "none", 0, 0, 0, {} }
end
if known.state == "closed" then
  amount = known.amount
else
  if how == "estimate" then amount = known.amount end
  close(record, holds, known, amount, ended_ms)
end
return { "closed", tonumber(amount[1]), tonumber(amount[2]), tonumber(amount[3]), notices(id, budgets_from(9)) }
