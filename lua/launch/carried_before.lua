--[[
carried_before -- how many arrivals were given to those who were carried over; the others have theirs behind them.
--]]
local function carried_before(t)
  if not t.rules.carried then return 0 end
  if not t.carried then t.carried = tonumber(redis.call('HGET', t.key.drop, 'carried')) end
  return t.carried
end
