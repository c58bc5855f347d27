--[[
look_up_payment -- a payment that began in time is silent at the deadline: the provider is asked before anything
is taken away. The unit stays until the hard stop, which counts from now: however late that is, there is time to ask.
--]]
--#use put emit ask_provider

local function look_up_payment(t, id, hold)
  local hard_stop = t.now + math.max(t.rules.lookup_ms, 1)
  hold[H_LOOKED] = hard_stop
  put(t, 'holds', id, hold)
  t.zset.due['h:' .. id] = hard_stop
  ask_provider(t, id, hold)
  emit(t, 'extended', hold[H_FAN], '"key":"","hold":"' .. id .. '","deadline":' .. hard_stop .. ',"why":"lookup"')
end
