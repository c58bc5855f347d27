--[[
give_units_back -- these units of an order, by their serials, are its fan's no more. back: line, they are free and go to
whoever is next; withheld, they are out in the world, and nobody's before they came back.
--]]
--#use get put fan_of count_card count_cohort count_carried return_serials

local function without(serials, gone)
  local is_gone, left = {}, {}
  for _, serial in ipairs(gone) do is_gone[serial] = true end
  for _, serial in ipairs(serials) do
    if not is_gone[serial] then left[#left + 1] = serial end
  end
  return left
end

local function give_units_back(t, id, order, serials, back)
  local pool, fan, qty = t.record.pools[order[O_POOL]], fan_of(t, order[O_FAN]), #serials
  pool[P_SOLD] = pool[P_SOLD] - qty
  if back == 'line' then
    pool[P_FREE] = pool[P_FREE] + qty
    return_serials(t, pool[P_ITEM], serials)
  else
    pool[P_WITHHELD], pool[P_AWAY] = pool[P_WITHHELD] + qty, pool[P_AWAY] + qty
    order[O_AWAY] = order[O_AWAY] or {}
    for _, serial in ipairs(serials) do table.insert(order[O_AWAY], serial) end
  end
  if pool[P_COUNTED] then
    count_cohort(t, pool, get(t, 'holds', id)[H_COHORT], -qty)
    count_carried(t, pool, get(t, 'holds', id), -qty)
  end
  put(t, 'pools', order[O_POOL], pool)
  fan[F_USED] = fan[F_USED] - qty
  local left = order[O_QTY] - qty
  local card = t.rules.cards == 1 and redis.call('HGET', t.key.networks, 'o:' .. id)
  if card then count_card(t, id, card, -qty, left) end
  if left > 0 then
    order[O_QTY], order[O_SERIALS] = left, without(order[O_SERIALS], serials)
  else
    t.zset.sales[id] = false
  end
end
