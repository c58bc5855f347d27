--[[
ordering_of -- how far the order of a sealed list has come: its root and what was revealed ('' while they are not told), the last
arrival that was given out, and the last that there will be. Returns nil, and the script's reply, where nothing is being ordered.
--]]
--#use entered carried_before

local function ordering_of(t)
  if t.state == 'frozen' then return nil, {'FROZEN'} end
  if t.state ~= 'ordering' then return nil, {'NOT_SEALED', t.state} end
  local d = redis.call('HMGET', t.key.drop, 'root', 'revealed', 'placed')
  return {root = d[1] or '', revealed = d[2] or '', placed = tonumber(d[3]), entries = carried_before(t) + entered(t)}
end
