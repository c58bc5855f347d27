--[[
ended_as -- how a hold ended, as its fan is told: one that lapsed and was rescued by its payment is sold to him.
--]]
--#use get

local function ended_as(t, id, hold)
  if hold[H_BEGAN] > 0 and hold[H_STATE] == 'expired' and get(t, 'orders', id) then return 'sold' end
  return hold[H_STATE]
end
