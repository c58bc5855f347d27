--[[
given_back -- has an order ended? Its units are others' then, whatever became of its money.
--]]
local ENDED = {refund_pending = true, refunded = true, refund_failed = true}

local function given_back(order)
  return ENDED[order[O_STATE]] == true
end
