--[[
called_up -- the base lane has called the entry with this arrival: where chance gave the arrivals out, screens tell how far the
calls have come.
--]]
--#use has_list

local function called_up(t, n)
  if not has_list(t) then return end
  if not t.called then t.called = tonumber(redis.call('HGET', t.key.drop, 'called') or 0) end
  if n > t.called then t.called, t.drop.called = n, n end
end
