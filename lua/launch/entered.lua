--[[
entered -- how many entries stand in the list that chance orders.
--]]
local function entered(t)
  if not t.entered then t.entered = tonumber(redis.call('HGET', t.key.drop, 'entered')) end
  return t.entered
end
