--[[
capture_less -- what is kept of a payment now is captured, and no more: as much is expected of its charge. Where nothing is
kept, the provider lets go of all of it. `capture`: its duty, which stands undone.
--]]
--#use digits

local function capture_less(t, payment_id, payment, capture)
  local charge, kept = payment[M_CHARGE], payment[M_KEPT]
  local known = t.charges[charge] or redis.call('HGET', t.key.charges, charge)
  if known then t.charges[charge] = string.gsub(known, '%d+$', NUMBER[kept]) end
  if kept > 0 then
    capture[D_AMOUNT] = kept
    t.outbox['capture:' .. payment_id] = capture
    return
  end
  t.outbox['capture:' .. payment_id] = false
  t.outbox['void:' .. charge] = DutyRecord{
    kind = 'void', hold = payment[M_HOLDS][1], charge = charge, amount = payment[M_AMOUNT], at_ms = t.now,
    currency = '', payment = payment_id,
  }
end
