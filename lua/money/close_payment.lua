--[[
close_payment -- an open payment is over: `state` paid, where its holds that stand are bought next, or ended. Then these are
their fan's to pay anew, by their own deadlines; one that had the time of a payment by hand has that of any payment again.
--]]
--#use put by_hand standing_in

local function close_payment(t, id, payment, state)
  local hand, rules = by_hand(payment[M_PROVIDER]), t.rules
  for _, row in ipairs(standing_in(t, id, payment)) do
    local hold_id, hold = row[1], row[2]
    if hand then
      local pool = t.record.pools[hold[H_POOL]]
      pool[P_HAND] = pool[P_HAND] - hold[H_QTY]
      put(t, 'pools', hold[H_POOL], pool)
    end
    if state == 'ended' then
      hold[H_STATE], hold[H_LOOKED] = 'active', 0
      if hand then
        hold[H_DEADLINE_MS] = math.min(hold[H_DEADLINE_MS], hold[H_START_MS] + 2 * rules.hold_ms + rules.pay_ms)
      end
      put(t, 'holds', hold_id, hold)
      t.zset.due['h:' .. hold_id] = hold[H_DEADLINE_MS]
    end
  end
  payment[M_STATE] = state
  put(t, 'payments', id, payment)
end
