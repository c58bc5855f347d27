--[[
owed -- a duty that may be ended, or nil: it stands in the outbox, can be read, and does not ask about a hold that
stands. That one is answered by its hold's end alone: whoever asked while the hold stood does not answer the
question that its end has put since.
--]]
--#use get duty_of still_held

local function owed(t, id)
  local duty = duty_of(t, id)
  local hold = duty and duty[D_HOLD] and get(t, 'holds', duty[D_HOLD])
  if not hold or duty[D_KIND] == 'lookup' and still_held(hold) then return nil end
  return duty
end
