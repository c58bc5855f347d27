--[[
correct_amount -- the provider captured another amount of a charge than it had told before. An order is then worth
what was captured, and its creator decides; money that goes back is as much.
--]]
--#use get put emit duty_of

local function correct_amount(t, id, charge, amount)
  local order = get(t, 'orders', id)
  local duty = duty_of(t, 'void:' .. charge) or duty_of(t, 'refund:' .. charge)
  if order and order[O_CHARGE] == charge then
    order[O_AMOUNT] = amount
    if order[O_STATE] ~= 'refund_pending' then order[O_STATE] = 'capture_failed' end
    put(t, 'orders', id, order)
    t.outbox['capture:' .. charge] = false
  end
  if duty then
    -- What was only authorised is let go; what was captured has to be given back.
    t.outbox['void:' .. charge] = false
    t.outbox['refund:' .. charge] = DutyRecord{
      kind = 'refund', hold = id, charge = charge, amount = amount, at_ms = duty[D_AT_MS],
    }
  end
  emit(t, 'mismatched', get(t, 'holds', id)[H_FAN], '"hold":"' .. id .. '","charge":' .. cjson.encode(charge)
    .. ',"amount":' .. amount)
end
