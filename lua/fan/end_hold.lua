--[[
end_hold -- a hold ends unsold: its units become free and the fan's room grows. For an entry of the line that
it came from this is a lapse, unless the drop is cancelled. With its last hold a payment has ended.

state: released | expired | cancelled. `key` is the fan's key, '' when the clock or the creator ended it.
--]]
--#use get put fan_of remove_value emit_ended lapse refresh_readiness unclaimed
--#use payment_of leave_payment uncount_network count_cohort count_carried

local function end_hold(t, id, hold, state, key, leaving)
  local fan_id, pool_id, qty = hold[H_FAN], hold[H_POOL], hold[H_QTY]
  local pool, fan = t.record.pools[pool_id], fan_of(t, fan_id)
  local entry_id = hold[H_ENTRY]
  local entry = entry_id ~= '' and state ~= 'cancelled' and get(t, 'entries', entry_id)
  local payment_id, payment
  if hold[H_BEGAN] ~= 0 then payment_id, payment = payment_of(t, id, hold) end

  pool[P_HELD], pool[P_FREE] = pool[P_HELD] - qty, pool[P_FREE] + qty
  if unclaimed(hold) then pool[P_OFFERED] = pool[P_OFFERED] - qty end
  if pool[P_COUNTED] then
    count_cohort(t, pool, hold[H_COHORT], -qty)
    count_carried(t, pool, hold, -qty)
  end
  fan[F_USED], fan[F_LAST] = fan[F_USED] - qty, id
  remove_value(fan[F_HOLDS], id)
  hold[H_STATE] = state
  put(t, 'holds', id, hold)
  if payment then leave_payment(t, hold, payment_id, payment) end
  t.dirty.pools[pool_id] = true
  t.zset.due['h:' .. id] = false
  uncount_network(t, id)

  if entry and entry[E_STATE] == 'offered' and entry[E_HOLD] == id then
    lapse(t, entry_id, entry, id, hold, key, leaving)
  else
    emit_ended(t, id, hold, key, 0)
  end
  if fan[F_ENTRIES][1] then refresh_readiness(t, fan_id, true) end
end
