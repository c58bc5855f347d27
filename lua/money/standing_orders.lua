--[[
standing_orders -- the orders of a payment that have not ended, oldest first, as rows {id, OrderRecord}.
--]]
--#use get fan_of owner_of given_back

local function standing_orders(t, payment_id, payment)
  local rows = {}
  for _, id in ipairs(fan_of(t, owner_of(t, payment[M_FAN]))[F_ORDERS]) do
    local order = get(t, 'orders', id)
    if order[O_PAYMENT] == payment_id and not given_back(order) then rows[#rows + 1] = {id, order} end
  end
  return rows
end
