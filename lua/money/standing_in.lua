--[[
standing_in -- the holds of a payment that stand and are in no other one since: rows {id, hold}, in its order.
--]]
--#use get still_held

local function standing_in(t, id, payment)
  local rows = {}
  for _, hold_id in ipairs(payment[M_HOLDS]) do
    local hold = get(t, 'holds', hold_id)
    if still_held(hold) and hold[H_PAYMENT] == id then rows[#rows + 1] = {hold_id, hold} end
  end
  return rows
end
