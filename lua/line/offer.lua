--[[
offer -- the line calls an entry: units of a pool are held for its fan until the offer's window ends. `key`: of the
press by which he called himself, or nil. Returns the hold's id.
--]]
--#use get put fan_of mark_in_line offer_window called_up emit refresh_readiness digits enter_cohort

local function offer(t, id, entry, pool_id, qty, key)
  local pool, fan = t.record.pools[pool_id], fan_of(t, entry[E_FAN])
  local price = get(t, 'items', pool[P_ITEM])[I_PRICE]
  local lane = entry[E_LANE]
  t.holds = t.holds + 1
  local hold_id, deadline = digits('h', t.holds), t.now + offer_window(t)
  pool[P_FREE], pool[P_HELD] = pool[P_FREE] - qty, pool[P_HELD] + qty
  pool[P_OFFERED] = pool[P_OFFERED] + qty
  if lane == 0 then
    pool[P_LANE_COUNT] = math.min(pool[P_LANE_COUNT] + 1, t.rules.k - 1)
    called_up(t, entry[E_N])
  else
    pool[P_LANE_COUNT] = 0
  end
  put(t, 'pools', pool_id, pool)
  local hold = HoldRecord{
    fan = entry[E_FAN], pool = pool_id, qty = qty, price = price, origin = 'line', state = 'active',
    start_ms = t.now, deadline_ms = deadline, entry = id, claimed = 0, extended = 0, began = 0,
    looked = 0, key = key or '',
  }
  local of_cohort = pool[P_CEILINGS] and enter_cohort(t, pool, fan, hold, qty) or ''
  put(t, 'holds', hold_id, hold)
  t.zset.due['h:' .. hold_id] = deadline
  fan[F_USED] = fan[F_USED] + qty
  fan[F_HOLDS][#fan[F_HOLDS] + 1] = hold_id
  entry[E_STATE], entry[E_HOLD] = 'offered', hold_id
  for i in ipairs(entry[E_POOLS]) do mark_in_line(t, 'buying', id, entry, i, true) end
  put(t, 'entries', id, entry)
  emit(t, 'offered', entry[E_FAN], '"entry":"' .. id .. '","n":' .. entry[E_N] .. ',"call":' .. lane
    .. ',"hold":"' .. hold_id .. '","pool":"' .. pool_id .. '","qty":' .. qty .. ',"price":' .. price
    .. ',"deadline":' .. deadline .. (key and ',"key":"' .. key .. '"' or '') .. of_cohort)
  refresh_readiness(t, entry[E_FAN], false)
  return hold_id
end
