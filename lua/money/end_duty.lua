--[[
end_duty -- a duty leaves the outbox, and its order keeps how it ended. `result`: done; failed: the provider refuses a
capture for good; by_hand: a person did it; given_up: nobody will. `more`: further fields of the event.
--]]
--#use get put emit owner_of

local ENDINGS = {
  capture = {
    was = 'capture_pending', done = 'done', by_hand = 'done', failed = 'capture_failed', given_up = 'capture_failed',
  },
  refund = {
    was = 'refund_pending', done = 'refunded', by_hand = 'refunded', given_up = 'refund_failed',
  },
}

local function end_duty(t, id, duty, result, more)
  local hold_id, charge, ending = duty[D_HOLD], duty[D_CHARGE], ENDINGS[duty[D_KIND]]
  local order = ending and get(t, 'orders', hold_id)
  if order and order[O_CHARGE] == charge and order[O_STATE] == ending.was then
    order[O_STATE] = ending[result]
    put(t, 'orders', hold_id, order)
  end
  t.outbox[id] = false
  emit(t, 'discharged', owner_of(t, get(t, 'holds', hold_id)[H_FAN]), '"duty":' .. cjson.encode(id) .. ',"kind":"'
    .. duty[D_KIND] .. '","hold":"' .. hold_id .. '","charge":' .. cjson.encode(charge) .. ',"amount":'
    .. duty[D_AMOUNT] .. ',"result":"' .. result .. '"' .. more)
end
