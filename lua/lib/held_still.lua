--[[
held_still -- does a hold still set units aside?
--]]
--#use fields

local function held_still(hold)
  return hold[H_STATE] == 'active' or hold[H_STATE] == 'paying'
end
