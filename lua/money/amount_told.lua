--[[
amount_told -- what the provider told of a charge that is known: the amount of its order, or of what goes back;
0 where nothing was told of it yet but that. Nil where it cannot matter any more: the money is back or given up, or
the amount was corrected before. `word`: what the charge is remembered by.
--]]
--#use get duty_of

local function amount_told(t, id, charge, word)
  local order = get(t, 'orders', id)
  if order and order[O_CHARGE] == charge then
    local hold = get(t, 'holds', id)
    local first = order[O_AMOUNT] == hold[H_QTY] * hold[H_PRICE]
    local over = order[O_STATE] == 'refunded' and order[O_AMOUNT] > 0 or order[O_STATE] == 'refund_failed'
    return first and not over and order[O_AMOUNT] or nil
  end
  local duty = duty_of(t, 'void:' .. charge) or duty_of(t, 'refund:' .. charge)
  return duty and duty[D_AMOUNT] or word == 'voided0' and 0 or nil
end
