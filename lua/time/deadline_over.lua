--[[
deadline_over -- a hold or an offer has reached its deadline: it ends, but for a payment that began in time;
about that one the provider is asked first.
--]]
--#use get end_hold look_up_payment

local function deadline_over(t, id)
  local hold = get(t, 'holds', id)
  if hold[H_STATE] == 'paying' and hold[H_LOOKED] == 0 then
    look_up_payment(t, id, hold)
  else
    end_hold(t, id, hold, 'expired', '')
  end
end
