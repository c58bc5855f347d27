--[[
may_press -- who may take something new now. Returns why nobody may in the drop's present state, or nil; and,
asked for a pool, whether somebody in its line is ready: then a newcomer may not.
--]]
--#use word_of_state ready_in

local function may_press(t, pool_id)
  local refusal = word_of_state(t)
  if refusal or not pool_id then return refusal end
  return nil, ready_in(t, pool_id) > 0
end
