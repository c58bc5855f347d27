--[[
look_up_payment -- a payment that began in time is silent at the deadline: the provider is asked before anything
is taken away. The unit stays until the hard stop.
--]]
--#use put emit ask_provider

local function look_up_payment(t, id, hold)
  hold[H_LOOKED] = 1
  hold[H_DEADLINE_MS] = math.max(hold[H_DEADLINE_MS] + t.rules.lookup_ms, t.now + 1)
  put(t, 'holds', id, hold)
  t.zset.due['h:' .. id] = hold[H_DEADLINE_MS]
  ask_provider(t, id, hold)
  emit(t, 'extended', hold[H_FAN], '"key":"","hold":"' .. id .. '","deadline":'
    .. hold[H_DEADLINE_MS] .. ',"why":"lookup"')
end
