--[[
refund_order -- units of an order are given back, and their part of its share with them; with its last unit the order ends,
with the last one of a payment what was paid for the way goes back too. An order of nothing is refunded by that. `why`:
for its fan to read, or ''. `serials`: of which units, nil: of all that are left. back: as in `give_units_back`, nil:
line. `amount`: how much goes back of the share, nil: as much as those units are of it, rounded down but for the last.
What was bought before there were payments is given back whole. Returns which refund of its payment this is, and
how much goes back.
--]]
--#use get put emit fields refresh_readiness owe_refund pay_back give_units_back standing_orders

-- What goes back of it for its units; and what for the way, if it has the last of its payment.
local function amounts(t, payment_id, order, qty, whole, amount)
  local share, way = order[O_AMOUNT], 0
  if not amount then amount = whole and share or math.floor(share * qty / order[O_QTY]) end
  local payment = whole and payment_id ~= '' and get(t, 'payments', payment_id)
  if payment and not standing_orders(t, payment_id, payment)[2] then way = payment[M_WAY_KEPT] end
  return amount, way
end

local function refund_order(t, id, order, by, key, why, serials, back, amount)
  local payment_id = order[O_PAYMENT] or ''
  serials, back = serials or order[O_SERIALS], back or 'line'
  local qty = #serials
  local whole = qty == order[O_QTY]
  local part, way = amounts(t, payment_id, order, qty, whole, amount)
  local n, pending, told = 0, part > 0, {}
  give_units_back(t, id, order, serials, back)
  order[O_WHY], order[O_AMOUNT] = why, whole and part or order[O_AMOUNT] - part
  if payment_id == '' then
    owe_refund(t, id, order)
  else
    n, pending = pay_back(t, id, payment_id, part + way, way)
    told = {'payment', payment_id, 'n', n, 'way', way}
  end
  if whole then order[O_STATE] = pending and 'refund_pending' or 'refunded' end
  put(t, 'orders', id, order)
  if back ~= 'line' then told[#told + 1], told[#told + 2] = 'back', back end
  emit(t, 'refunded', order[O_FAN], '"serials":[' .. table.concat(serials, ',') .. '],'
    .. fields('hold', id, 'pool', order[O_POOL], 'qty', qty, 'amount', part + way, 'charge', order[O_CHARGE],
      'by', by, 'key', key, 'why', why, unpack(told)))
  refresh_readiness(t, order[O_FAN], true)
  return n, part + way
end
