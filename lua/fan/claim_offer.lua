--[[
claim_offer -- an offer becomes a hold: its window ends and a hold's deadline begins, `least` at the least.
--]]
--#use put emit

local function claim_offer(t, id, hold, key, least)
  local pool = t.record.pools[hold[H_POOL]]
  pool[P_OFFERED] = pool[P_OFFERED] - hold[H_QTY]
  put(t, 'pools', hold[H_POOL], pool)
  hold[H_CLAIMED], hold[H_START_MS], hold[H_DEADLINE_MS] = 1, t.now, math.max(t.now + t.rules.hold_ms, least or 0)
  put(t, 'holds', id, hold)
  t.zset.due['h:' .. id] = hold[H_DEADLINE_MS]
  emit(t, 'claimed', hold[H_FAN], '"key":"' .. key .. '","hold":"' .. id .. '","deadline":'
    .. hold[H_DEADLINE_MS])
end
