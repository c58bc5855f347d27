--[[
long_ended -- did a hold end a day ago or more, as `ended_till` knows it?
--]]
--#use still_held

local function long_ended(hold, till)
  return not still_held(hold) and math.max(hold[H_DEADLINE_MS], hold[H_LOOKED]) <= till
end
