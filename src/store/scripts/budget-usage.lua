--[[ budget-usage.lua
  Reads what is spent, held back and added by extensions in budgets of one slot.
  KEYS  holds  sorted set, held reservations of this slot by deadline
  ARGV  (for each budget: its key, the key of its extensions)
  Reply {{spent tokens, money, steps, held tokens, money, steps, added tokens, money, steps}…} ]]
local holds = KEYS[1]
--@include lib-budget.lua
release_expired(holds)
local list = {}
for at = 1, #ARGV, 2 do
  local row = {}
  for _, amount in ipairs({ spent(ARGV[at], ""), spent(ARGV[at], "held:"), extended(ARGV[at + 1]) }) do
    for index = 1, 3 do row[#row + 1] = amount[index] end
  end
  list[#list + 1] = row
end
return list
