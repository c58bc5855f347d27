--[[
still_held -- does a hold still set units aside?
--]]

local function still_held(hold)
  return hold[H_STATE] == 'active' or hold[H_STATE] == 'paying'
end
