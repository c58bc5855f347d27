--[[
may_go_on -- why what was begun may not go on in the drop's present state, or nil. A pause and the
closing take nothing away from a fan who holds something.
--]]
local GOING_ON_REFUSALS = {cancelled = 'CANCELLED', frozen = 'FROZEN'}

local function may_go_on(t)
  return GOING_ON_REFUSALS[t.state]
end
