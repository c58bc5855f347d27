--[[
uncount_network -- a hold or an entry is over and counts at its network no more. `heir`: the hold that stays of an entry
that is over, and counts in its place. Whatever ends it, it is given back once: what stands beside its id is gone then.
--]]
local NETWORK_NAME = string.rep('.', 13)

local function uncount_network(t, id, heir)
  local networks = t.networks
  if not networks then return end
  local at = networks[id]
  if at == nil then at = redis.call('HGET', t.key.networks, id) end
  if not at then return end
  networks[id] = false
  if heir then
    networks[heir] = at
    return
  end
  local counted = t.counted
  for name in string.gmatch(at, NETWORK_NAME) do
    local count = (counted[name] or tonumber(redis.call('HGET', t.key.networks, name) or 1)) - 1
    counted[name], networks[name] = count, count > 0 and count
  end
end
