--[[ claim.lua
  Gives ready lanes of a kind to a registered worker and takes each one's next message out of its inbox into its journal.
  Who takes a ring off the bell must claim, even without room: what is left in line rings for the next one.
  Safe to repeat with the same tokens: what they still hold is handed out again, nothing more. A token is never given
  to a second run, even if the first one's is over by then.
  KEYS  own         hash lane → state
        workers     sorted set worker → lease end
        claimed     string, `first` of this worker's latest claim that took something
        ready       list, lanes of the kind in line
        bell        list, a ring for whoever runs the kind
  ARGV  tag         the partition's hash tag
        worker      who claims
        first       number of the first token, greater than in earlier claims; tokens are `worker.number`
        kind        the kind
        room        how many lanes at most
  Reply "gone" when the worker is not registered, else a list of claims (see lib-start.lua) ]]
local own, workers, claimed, ready, bell = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local tag, worker, number, kind, room = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
--@include lib-mail.lua
--@include lib-start.lua
if not redis.call("ZSCORE", workers, worker) then return "gone" end
local claims = {}
if tonumber(redis.call("GET", claimed) or -1) >= number then
  local among = runs_of(worker)
  for offset = 0, room - 1 do claims[#claims + 1] = held(worker .. "." .. (number + offset), among) end
  return claims
end
while #claims < room do
  local lane = redis.call("LPOP", ready)
  if not lane then break end
  claims[#claims + 1] = start(lane, worker .. "." .. (number + #claims))
end
if #claims > 0 then redis.call("SET", claimed, number) end
-- What rang so far has been answered; what is left is for others.
if redis.call("EXISTS", ready) == 1 then ring(kind) else redis.call("DEL", bell) end
return claims
