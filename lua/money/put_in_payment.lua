--[[
put_in_payment -- a hold is in a payment from now on, or was in it last.
--]]
--#use put

local function put_in_payment(t, hold_id, hold, payment_id)
  hold[H_BEGUN_BY], hold[H_COHORT] = hold[H_BEGUN_BY] or '', hold[H_COHORT] or ''
  hold[H_PAYMENT] = payment_id
  put(t, 'holds', hold_id, hold)
end
