--[[
count_network -- what a command has begun, a hold or an entry, counts at its network from now on: once, until
`uncount_network` gives it back. Which one that is stands beside its id, so that nobody else has to know.
--]]
local function count_network(t, c, id)
  local near, wide = c[8], c[9]
  if not near then return end
  local counted, networks = t.counted, t.networks
  local count = counted[near] + 1
  networks.key, t.new_key = t.new_key or networks.key, nil
  counted[near], networks[near] = count, count
  if t.exempt[near] then
    networks[id] = near
    return
  end
  count = counted[wide] + 1
  counted[wide], networks[wide] = count, count
  networks[id] = near .. wide
end
