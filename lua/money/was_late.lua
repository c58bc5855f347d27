--[[
was_late -- did a hold end by its deadline, after its fan had begun to pay?
--]]

local function was_late(hold)
  return hold[H_STATE] == 'expired' and hold[H_BEGAN] > 0
end
