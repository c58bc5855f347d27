--[[
deadline_over -- a hold or an offer has reached its deadline: it ends, but for one of a payment that began in time; about
that one its provider is asked first.
--]]
--#use get end_hold payment_of ask_payment

local function deadline_over(t, id)
  local hold = get(t, 'holds', id)
  if hold[H_STATE] == 'paying' then
    local payment_id, payment = payment_of(t, id, hold)
    if payment[M_LOOKED] == 0 then return ask_payment(t, payment_id, payment) end
    -- Another of its holds was due just now, and it is asked about.
    if payment[M_LOOKED] > t.now then return end
  end
  end_hold(t, id, hold, 'expired', '')
end
