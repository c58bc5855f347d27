--[[
carried_before -- how many arrivals were given to those who were carried over; the others have theirs behind them.
--]]
local function carried_before(t)
  if not t.rules.carried then return 0 end
  return tonumber(redis.call('HGET', t.key.drop, 'carried'))
end
