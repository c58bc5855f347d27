--[[
leave_payment -- a hold of an open payment ends, or is bought by another one: its units are in no payment by hand any more,
and with its last hold the payment has ended. Money may come for it still: its provider is asked to take none.
--]]
--#use put by_hand standing_in ask_to_cancel

local function leave_payment(t, hold, id, payment)
  if payment[M_STATE] ~= 'open' then return end
  if by_hand(payment[M_PROVIDER]) then
    local pool = t.record.pools[hold[H_POOL]]
    pool[P_HAND] = pool[P_HAND] - hold[H_QTY]
    put(t, 'pools', hold[H_POOL], pool)
  end
  if standing_in(t, id, payment)[1] then return end
  payment[M_STATE] = 'ended'
  put(t, 'payments', id, payment)
  ask_to_cancel(t, id, payment)
end
