--[[
unclaimed -- is a hold an offer of the line that its fan has not taken?
--]]
local function unclaimed(hold)
  return hold[H_ORIGIN] == 'line' and hold[H_CLAIMED] == 0
end
