--[[
refund_order -- an order ends: its units are free again, its serials come back, a duty returns the money.
An order of nothing is refunded by that. `why`: for its fan to read, or ''.
--]]
--#use get put fan_of emit fields refresh_readiness owe_refund count_card count_cohort count_carried

local function refund_order(t, id, order, by, key, why)
  local pool = t.record.pools[order[O_POOL]]
  local fan = fan_of(t, order[O_FAN])
  pool[P_SOLD], pool[P_FREE] = pool[P_SOLD] - order[O_QTY], pool[P_FREE] + order[O_QTY]
  if pool[P_COUNTED] then
    count_cohort(t, pool, get(t, 'holds', id)[H_COHORT], -order[O_QTY])
    count_carried(t, pool, get(t, 'holds', id), -order[O_QTY])
  end
  put(t, 'pools', order[O_POOL], pool)
  fan[F_USED] = fan[F_USED] - order[O_QTY]
  for _, serial in ipairs(order[O_SERIALS]) do
    t.zset.returned[pool[P_ITEM] .. '/' .. string.format('%08d', serial)] = 0
  end
  local card = t.rules.cards == 1 and redis.call('HGET', t.key.networks, 'o:' .. id)
  if card then count_card(t, id, card, -order[O_QTY]) end
  order[O_WHY] = why
  order[O_STATE] = order[O_AMOUNT] > 0 and 'refund_pending' or 'refunded'
  put(t, 'orders', id, order)
  t.zset.sales[id] = false
  owe_refund(t, id, order)
  emit(t, 'refunded', order[O_FAN], '"serials":[' .. table.concat(order[O_SERIALS], ',') .. '],'
    .. fields('hold', id, 'pool', order[O_POOL], 'qty', order[O_QTY], 'amount', order[O_AMOUNT],
      'charge', order[O_CHARGE], 'by', by, 'key', key, 'why', why))
  refresh_readiness(t, order[O_FAN], true)
end
