--[[
pay_back -- so much of what is kept of an order's payment goes back, `way` of it what was paid for the way. Where the capture
stands undone, that is for less now, and what is not captured has not to be given back; where nothing is kept, the
provider lets go of all of it. Else a duty gives it back. Returns the number of this refund, and whether such a duty
follows.
--]]
--#use get put duty_of capture_less

local function pay_back(t, order_id, payment_id, amount, way)
  local payment = get(t, 'payments', payment_id)
  local n = payment[M_BACKS] + 1
  payment[M_BACKS], payment[M_KEPT] = n, payment[M_KEPT] - amount
  payment[M_WAY_KEPT] = payment[M_WAY_KEPT] - way
  put(t, 'payments', payment_id, payment)
  if amount == 0 then return n, false end
  local capture = duty_of(t, 'capture:' .. payment_id)
  if capture then
    capture_less(t, payment_id, payment, capture)
    return n, false
  end
  t.outbox['refund:' .. payment_id .. ':' .. n] = DutyRecord{
    kind = 'refund', hold = order_id, charge = payment[M_CHARGE], amount = amount, at_ms = t.now,
    currency = '', payment = payment_id,
  }
  return n, true
end
