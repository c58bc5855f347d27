--[[
reduce_order -- a part of an order's share is given back, and its units stay. Returns which refund of its payment this is.
--]]
--#use put emit fields pay_back

local function reduce_order(t, id, order, by, key, why, amount)
  local payment_id = order[O_PAYMENT]
  order[O_AMOUNT], order[O_WHY] = order[O_AMOUNT] - amount, why
  put(t, 'orders', id, order)
  local n = pay_back(t, id, payment_id, amount, 0)
  emit(t, 'reduced', order[O_FAN], fields('hold', id, 'payment', payment_id, 'n', n, 'amount', amount, 'by', by,
    'key', key, 'why', why))
  return n
end
