--[[
unpay -- {verb, fan, key, payment}: its fan wants to pay it no more. Its provider is asked to cancel it, and only when that
says so its holds may be paid anew; until then it may be paid. What is over is answered as it is.
--]]
--#use get fan_of put emit owner_of may_go_on ask_to_cancel

local function unpay(t, c)
  local fan_id, key, id = c[2], c[3], c[4]
  local payment = get(t, 'payments', id)
  if not payment or payment[M_FAN] ~= fan_id and owner_of(t, payment[M_FAN]) ~= fan_id then return {'NOT_FOUND'} end
  local was = fan_of(t, fan_id)[F_SEQ]
  if payment[M_STATE] == 'open' and payment[M_LEAVING] == 0 then
    local refusal = may_go_on(t)
    if refusal then return {refusal} end
    payment[M_LEAVING] = 1
    put(t, 'payments', id, payment)
    ask_to_cancel(t, id, payment)
    emit(t, 'unpaying', fan_id, '"key":"' .. key .. '","payment":"' .. id .. '"')
  end
  return {'UNPAYING', id, payment, t.seq, was}
end
