--[[
payment_of -- the payment that a hold is in, or was in last: its id and its record; nil where nobody began one. What was
begun before there were payments gets one here, for this hold alone, which stands where the hold stands: its question
asks to cancel from now on. Of what was bought or judged by then there is none.
--]]
--#use get still_held owner_of new_payment put_in_payment tell_begun ask_to_cancel duty_of

local function adopted(t, hold_id, hold)
  local stands, looked = still_held(hold), hold[H_LOOKED]
  local id, payment = new_payment(t, owner_of(t, hold[H_FAN]), {hold_id}, '', hold[H_QTY] * hold[H_PRICE], 0, '')
  payment[M_DEADLINE_MS], payment[M_LOOKED] = hold[H_DEADLINE_MS], looked
  if stands then hold[H_BEGAN], hold[H_STATE] = 1, 'paying' else payment[M_STATE] = 'ended' end
  put_in_payment(t, hold_id, hold, id)
  local question = 'lookup:' .. hold_id
  if duty_of(t, question) then
    t.outbox[question] = false
    ask_to_cancel(t, id, payment)
  end
  tell_begun(t, id, payment, '')
  return id, payment
end

local function payment_of(t, hold_id, hold, told)
  local id = hold[H_PAYMENT] or ''
  if id ~= '' then return id, get(t, 'payments', id) end
  if hold[H_STATE] == 'sold' or hold[H_BEGAN] == 2 or hold[H_BEGAN] == 0 and not told then return nil end
  return adopted(t, hold_id, hold)
end
