--[[
void -- a payment that buys nothing: a duty gives the money back, where there is any. Returns the word that its
charge is remembered by: `voided0` where it carried nothing. `card`: which one was over the limit, or ''.
--]]
--#use emit

local function void(t, fan, hold_id, payment_id, charge, amount, currency, captured, why, card)
  local how = captured and 'refund' or 'void'
  if amount > 0 then
    t.outbox[how .. ':' .. charge] = DutyRecord{
      kind = how, hold = hold_id, charge = charge, amount = amount, at_ms = t.now,
      currency = currency ~= t.rules.currency and currency or '', payment = payment_id,
    }
  end
  emit(t, 'voided', fan, '"hold":"' .. hold_id .. '","charge":' .. cjson.encode(charge)
    .. ',"amount":' .. amount .. ',"how":"' .. how .. '","why":"' .. why .. '","currency":"' .. currency .. '"'
    .. (payment_id ~= '' and ',"payment":"' .. payment_id .. '"' or '') .. (card ~= '' and ',"card":"' .. card .. '"' or ''))
  return amount > 0 and 'voided' or 'voided0'
end
