--[[
owed -- a duty that may be ended, or nil: it stands in the outbox, can be read, and does not ask about what stands. That
question is answered by the end of its payment, or of its hold, alone: whoever asked while it stood does not answer the
one that its end has put since.
--]]
--#use get duty_of still_held

local function owed(t, id)
  local duty = duty_of(t, id)
  local hold = duty and duty[D_HOLD] and get(t, 'holds', duty[D_HOLD])
  if not hold or duty[D_KIND] == 'lookup' and still_held(hold) then return nil end
  local payment = duty[D_KIND] == 'cancel' and get(t, 'payments', duty[D_PAYMENT])
  if payment and payment[M_STATE] == 'open' then return nil end
  return duty
end
