--[[ claim.lua
  Gives ready lanes to a registered worker and takes each one's next message out of its inbox into its journal.
  Safe to repeat with the same tokens: what they still hold is handed out again, nothing more. A token is never given
  to a second run, even if the first one's is over by then.
  KEYS  own         hash lane → state
        workers     sorted set worker → lease end
        claimed     string, `first` of this worker's latest claim that took something
        bell        list, doorbell
  ARGV  tag         the partition's hash tag
        worker      who claims
        first       number of the first token, greater than in earlier claims; tokens are `worker.number`
        kinds       how many `kind capacity` pairs follow
  Reply "gone" when the worker is not registered, else a list of claims (see lib-start.lua) ]]
local own, workers, claimed, bell = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local tag, worker, number = ARGV[1], ARGV[2], tonumber(ARGV[3])
--@include lib-mail.lua
--@include lib-start.lua
if not redis.call("ZSCORE", workers, worker) then return "gone" end
local claims, total = {}, 0
for pair = 1, tonumber(ARGV[4]) do total = total + tonumber(ARGV[4 + pair * 2]) end
if tonumber(redis.call("GET", claimed) or -1) >= number then
  local among = runs_of(worker)
  for offset = 0, total - 1 do claims[#claims + 1] = held(worker .. "." .. (number + offset), among) end
  return claims
end
local emptied = true
for pair = 1, tonumber(ARGV[4]) do
  local ready = tag .. "ready:" .. ARGV[3 + pair * 2]
  local wanted = tonumber(ARGV[4 + pair * 2])
  while wanted > 0 do
    local lane = redis.call("LPOP", ready)
    if not lane then break end
    local claim = start(lane, worker .. "." .. (number + #claims))
    if claim then
      claims[#claims + 1] = claim
      wanted = wanted - 1
    end
  end
  if wanted == 0 and redis.call("EXISTS", ready) == 1 then emptied = false end
end
if #claims > 0 then redis.call("SET", claimed, number) end
-- What rang so far has been answered; further rings would only make workers look at nothing. What is left is for others,
-- who are woken only by one who took something: nobody wakes himself for what he has no room for.
if emptied then redis.call("DEL", bell) elseif #claims > 0 and redis.call("EXISTS", bell) == 0 then ring() end
return claims
