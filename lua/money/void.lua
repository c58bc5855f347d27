--[[
void -- a payment that buys nothing: a duty gives the money back.
--]]
--#use emit

local function void(t, fan, hold_id, charge, amount, captured, why)
  local how = captured and 'refund' or 'void'
  t.outbox[how .. ':' .. charge] = DutyRecord{
    kind = how, hold = hold_id, charge = charge, amount = amount, at_ms = t.now,
  }
  emit(t, 'voided', fan, '"hold":"' .. hold_id .. '","charge":' .. cjson.encode(charge)
    .. ',"amount":' .. amount .. ',"how":"' .. how .. '","why":"' .. why .. '"')
end
