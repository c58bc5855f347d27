--[[
may_press -- who may take something new now. Returns why nobody may in the drop's present state, or nil; and,
asked for a pool, whether somebody in its line is ready: then a newcomer may not.
--]]
--#use ready_in

local PRESSING_REFUSALS = {
  draft = 'NOT_OPEN', scheduled = 'NOT_OPEN', paused = 'PAUSED', closing = 'CLOSED',
  settled = 'CLOSED', cancelled = 'CANCELLED', frozen = 'FROZEN',
}

local function may_press(t, pool_id)
  local refusal = PRESSING_REFUSALS[t.state]
  if refusal or not pool_id then return refusal end
  return nil, ready_in(t, pool_id) > 0
end
