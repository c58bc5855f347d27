--[[
ordering_of -- how far the order of a sealed list has come: its root and what was revealed ('' while they are not told), how
many have their arrivals, and of how many. Returns nil, and the script's reply, where nothing is being ordered.
--]]
--#use entered

local function ordering_of(t)
  if t.state == 'frozen' then return nil, {'FROZEN'} end
  if t.state ~= 'ordering' then return nil, {'NOT_SEALED', t.state} end
  local d = redis.call('HMGET', t.key.drop, 'root', 'revealed', 'placed')
  return {root = d[1] or '', revealed = d[2] or '', placed = tonumber(d[3]), entries = entered(t)}
end
