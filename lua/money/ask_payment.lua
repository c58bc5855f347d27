--[[
ask_payment -- a payment that began in time is silent at the deadline: its provider is asked to cancel it before anything is
taken away. All its units stay until the hard stop, which counts from now: however late that is, there is time to ask.
--]]
--#use put emit standing_in ask_to_cancel

local function ask_payment(t, id, payment)
  local hard_stop = t.now + math.max(t.rules.lookup_ms, 1)
  for _, row in ipairs(standing_in(t, id, payment)) do
    row[2][H_LOOKED] = hard_stop
    put(t, 'holds', row[1], row[2])
    t.zset.due['h:' .. row[1]] = hard_stop
  end
  payment[M_LOOKED] = hard_stop
  put(t, 'payments', id, payment)
  ask_to_cancel(t, id, payment)
  emit(t, 'asked', payment[M_FAN], '"payment":"' .. id .. '","deadline":' .. string.format('%d', hard_stop))
end
