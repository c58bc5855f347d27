--[[
amount_told -- what the provider told of a charge that is known: the amount of its order, or of what goes back. Nil
where it cannot matter any more: the money is back or given up, or the amount was corrected before.
--]]
--#use get duty_of

local function amount_told(t, id, charge)
  local order = get(t, 'orders', id)
  if order and order[O_CHARGE] == charge then
    local hold = get(t, 'holds', id)
    local first = order[O_AMOUNT] == hold[H_QTY] * hold[H_PRICE]
    local over = order[O_STATE] == 'refunded' or order[O_STATE] == 'refund_failed'
    return first and not over and order[O_AMOUNT] or nil
  end
  local duty = duty_of(t, 'void:' .. charge) or duty_of(t, 'refund:' .. charge)
  return duty and duty[D_AMOUNT]
end
