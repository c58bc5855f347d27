--[[
owe_back -- the money of an order of a payment that has ended is owed, as the change that ended it had decided before it was
written by half: less is captured, or the last refund of the payment gives it back.
--]]
--#use get duty_of capture_less

local function owe_back(t, id, order)
  local payment_id = order[O_PAYMENT]
  local payment = get(t, 'payments', payment_id)
  local capture = duty_of(t, 'capture:' .. payment_id)
  if capture then
    if capture[D_AMOUNT] > payment[M_KEPT] then capture_less(t, payment_id, payment, capture) end
    return
  end
  if order[O_STATE] ~= 'refund_pending' then return end
  for n = 1, payment[M_BACKS] do
    local duty = duty_of(t, 'refund:' .. payment_id .. ':' .. n)
    if duty and duty[D_HOLD] == id then return end
  end
  t.outbox['refund:' .. payment_id .. ':' .. payment[M_BACKS]] = DutyRecord{
    kind = 'refund', hold = id, charge = order[O_CHARGE], amount = order[O_AMOUNT], at_ms = t.now,
    currency = '', payment = payment_id,
  }
end
