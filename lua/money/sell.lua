--[[
sell -- a payment becomes an order: `word` sold takes the units of the hold, rescued takes free ones.
`how`: the payment and its charge: {payment, intent (the hold of it), way, charge, captured, card}. The entry that the hold came from is served, whatever
became of it since, unless its fate is final; entries that the fan's orders leave no room for are removed.
--]]
--#use get put fan_of owner_of remove_value serials_of emit finish_entry remove_filled refresh_readiness
--#use unclaimed still_in_line payment_of leave_payment unit_price uncount_network count_card enter_cohort

local function sell(t, word, id, hold, how)
  local pool, fan_id = t.record.pools[hold[H_POOL]], owner_of(t, hold[H_FAN])
  local fan = fan_of(t, fan_id)
  local qty, amount, charge, card = hold[H_QTY], hold[H_QTY] * unit_price(hold, how.way), how.charge, how.card
  local done = how.captured or amount == 0
  local serials, told = serials_of(t, pool[P_ITEM], qty), ''
  if word == 'sold' then
    pool[P_HELD] = pool[P_HELD] - qty
    if unclaimed(hold) then pool[P_OFFERED] = pool[P_OFFERED] - qty end
    remove_value(fan[F_HOLDS], id)
    hold[H_STATE] = 'sold'
    put(t, 'holds', id, hold)
    t.zset.due['h:' .. id] = false
    uncount_network(t, id)
    -- Another payment may have bought it.
    if hold[H_BEGAN] ~= 0 then
      local of, payment = payment_of(t, id, hold)
      if payment then leave_payment(t, hold, of, payment) end
    end
  else
    pool[P_FREE] = pool[P_FREE] - qty
    fan[F_USED] = fan[F_USED] + qty
    if pool[P_COUNTED] then
      told = enter_cohort(t, pool, fan, hold, qty)
      put(t, 'holds', id, hold)
    end
  end
  pool[P_SOLD] = pool[P_SOLD] + qty
  put(t, 'pools', hold[H_POOL], pool)
  fan[F_ORDERS][#fan[F_ORDERS] + 1] = id
  put(t, 'orders', id, OrderRecord{
    fan = fan_id, pool = hold[H_POOL], qty = qty, amount = amount, serials = serials,
    charge = charge, state = done and 'done' or 'capture_pending', at_ms = t.now,
    why = '', payment = how.payment, away = {},
  })
  emit(t, word, fan_id, '"hold":"' .. id .. '","intent":"' .. how.intent .. '","pool":"'
    .. hold[H_POOL] .. '","qty":' .. qty .. ',"serials":[' .. table.concat(serials, ',')
    .. '],"amount":' .. amount .. ',"charge":' .. cjson.encode(charge) .. ',"capture":"'
    .. (done and 'done' or 'pending') .. '","payment":"' .. how.payment .. '"' .. (card ~= '' and ',"card":"' .. card .. '"' or '') .. told)
  if card ~= '' then count_card(t, id, card, qty, qty) end
  t.zset.sales[id] = t.seq

  local entry = hold[H_ENTRY] ~= '' and get(t, 'entries', hold[H_ENTRY])
  if entry and still_in_line(entry) then finish_entry(t, hold[H_ENTRY], entry, 'served') end
  remove_filled(t, fan)
  refresh_readiness(t, fan_id, false)
end
