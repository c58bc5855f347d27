--[[
refuse_buying -- why nothing new may begin in the drop's present state, or nil while it is live.
--]]
local BUYING_REFUSALS = {
  draft = 'NOT_OPEN', scheduled = 'NOT_OPEN', paused = 'PAUSED', closing = 'CLOSED',
  settled = 'CLOSED', cancelled = 'CANCELLED', frozen = 'FROZEN',
}

local function refuse_buying(t)
  return BUYING_REFUSALS[t.state]
end
