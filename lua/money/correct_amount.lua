--[[
correct_amount -- the provider captured another amount of a charge than it had told before. An order of before there were
payments is then worth what was captured, and its creator decides; money that goes back is as much. `known`: what the charge is remembered
as.
--]]
--#use get put emit duty_of owner_of

local function correct_amount(t, id, payment_id, charge, amount, known)
  local order = get(t, 'orders', id)
  local duty = duty_of(t, 'void:' .. charge) or duty_of(t, 'refund:' .. charge)
  local goes_back = duty or not order or order[O_CHARGE] ~= charge
  if order and order[O_CHARGE] == charge then
    goes_back = goes_back or order[O_STATE] == 'refunded'
    order[O_AMOUNT] = amount
    order[O_STATE] = not goes_back and 'capture_failed' or amount > 0 and 'refund_pending' or 'refunded'
    put(t, 'orders', id, order)
    t.outbox['capture:' .. charge] = false
  else
    t.charges[charge] = string.gsub(known, '^voided0?', amount > 0 and 'voided' or 'voided0')
  end
  if goes_back then
    -- What was only authorised is let go; what was captured has to be given back.
    t.outbox['void:' .. charge] = false
    t.outbox['refund:' .. charge] = amount > 0 and DutyRecord{
      kind = 'refund', hold = id, charge = charge, amount = amount, at_ms = duty and duty[D_AT_MS] or t.now,
      currency = duty and duty[D_CURRENCY] or '', payment = payment_id,
    }
  end
  emit(t, 'mismatched', owner_of(t, get(t, 'holds', id)[H_FAN]), '"hold":"' .. id .. '","charge":' .. cjson.encode(charge)
    .. ',"amount":' .. amount .. (payment_id ~= '' and ',"payment":"' .. payment_id .. '"' or ''))
end
