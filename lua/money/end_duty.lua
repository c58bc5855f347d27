--[[
end_duty -- a duty leaves the outbox, and the orders that it is about keep how it ended: all of its payment, where that is
captured; the one that was given back, with the last of its refunds. `result`: done; failed: the provider refuses a
capture for good; by_hand: a person did it; given_up: nobody will. `more`: further fields of the event.
--]]
--#use get put emit owner_of duty_of standing_orders

local ENDINGS = {
  capture = {
    was = 'capture_pending', done = 'done', by_hand = 'done', failed = 'capture_failed', given_up = 'capture_failed',
  },
  refund = {
    was = 'refund_pending', done = 'refunded', by_hand = 'refunded', given_up = 'refund_failed',
  },
}

-- Does more of it go back by another duty?
local function goes_on(t, id, duty, payment)
  for n = 1, payment[M_BACKS] do
    local name = 'refund:' .. duty[D_PAYMENT] .. ':' .. n
    local other = name ~= id and duty_of(t, name)
    if other and other[D_HOLD] == duty[D_HOLD] then return true end
  end
  return false
end

-- Rows {id, order} of those that may end with it.
local function orders_of(t, id, duty)
  local payment_id = duty[D_PAYMENT] or ''
  local payment = payment_id ~= '' and get(t, 'payments', payment_id)
  if payment and duty[D_KIND] == 'capture' then return standing_orders(t, payment_id, payment) end
  local order = get(t, 'orders', duty[D_HOLD])
  if not order or order[O_CHARGE] ~= duty[D_CHARGE] then return {} end
  if payment and (id == 'refund:' .. payment_id .. ':late' or goes_on(t, id, duty, payment)) then return {} end
  return {{duty[D_HOLD], order}}
end

local function end_duty(t, id, duty, result, more)
  local hold_id, ending, payment_id = duty[D_HOLD], ENDINGS[duty[D_KIND]], duty[D_PAYMENT] or ''
  for _, row in ipairs(ending and orders_of(t, id, duty) or {}) do
    if row[2][O_STATE] == ending.was then
      row[2][O_STATE] = ending[result]
      put(t, 'orders', row[1], row[2])
    end
  end
  t.outbox[id] = false
  emit(t, 'discharged', owner_of(t, get(t, 'holds', hold_id)[H_FAN]), '"duty":' .. cjson.encode(id) .. ',"kind":"'
    .. duty[D_KIND] .. '","hold":"' .. hold_id .. '","charge":' .. cjson.encode(duty[D_CHARGE]) .. ',"amount":'
    .. string.format('%d', duty[D_AMOUNT]) .. ',"result":"' .. result .. '"'
    .. (payment_id ~= '' and ',"payment":"' .. payment_id .. '"' or '') .. more)
end
