--[[
keep_paid -- a charge bought something: what of it is the shop's are the shares of these orders, and the way. That much is
captured, where the money has not moved, else the rest goes back. Returns how much is kept.
--]]
--#use get put emit fields ask_to_cancel owner_of

local function duty(t, name, kind, id, payment, amount)
  t.outbox[name] = DutyRecord{
    kind = kind, hold = payment[M_HOLDS][1], charge = payment[M_CHARGE], amount = amount, at_ms = t.now,
    currency = '', payment = id,
  }
end

local function keep_paid(t, id, payment, sold, how)
  local amount, way = payment[M_AMOUNT], how.way and how.way.amount or 0
  local kept = way
  for _, order_id in ipairs(sold) do kept = kept + get(t, 'orders', order_id)[O_AMOUNT] end
  payment[M_STATE], payment[M_CHARGE], payment[M_KEPT], payment[M_WAY_KEPT] = 'paid', how.charge, kept, way
  put(t, 'payments', id, payment)
  if not how.captured and kept > 0 then
    duty(t, 'capture:' .. id, 'capture', id, payment, kept)
  elseif not how.captured and amount > 0 then
    duty(t, 'void:' .. how.charge, 'void', id, payment, amount)
  elseif amount > kept then
    duty(t, 'refund:' .. id .. ':late', 'refund', id, payment, amount - kept)
  end
  emit(t, 'paid', owner_of(t, payment[M_FAN]), fields('payment', id, 'charge', how.charge, 'amount', amount, 'kept', kept,
    'way', way, 'capture', how.captured and 'done' or kept > 0 and 'pending' or amount > 0 and 'void' or 'done'))
  -- It may be paid once more, until its provider takes no money for it.
  if amount > 0 then ask_to_cancel(t, id, payment) end
  t.charges[how.charge] = 'paid|' .. id .. '|' .. table.concat(sold, ',') .. '|' .. string.format('%d', how.captured and amount or kept)
  return kept
end
