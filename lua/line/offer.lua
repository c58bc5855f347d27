--[[
offer -- a lane of the line calls an entry: units of a pool are held for its fan until the offer's window ends. `key`: of the
press by which he called himself, or nil. The entry keeps how it was called: a lapse takes back what its call added. Returns the
hold's id.
--]]
--#use get put fan_of mark_in_line whole_entry offer_window called_up emit refresh_readiness digits enter_cohort

local ADDED = 2

local function offer(t, id, entry, pool_id, qty, lane, key)
  local pool, fan = t.record.pools[pool_id], fan_of(t, entry[E_FAN])
  local price = get(t, 'items', pool[P_ITEM])[I_PRICE]
  local call = lane
  t.holds = t.holds + 1
  local hold_id, deadline = digits('h', t.holds), t.now + offer_window(t)
  pool[P_FREE], pool[P_HELD] = pool[P_FREE] - qty, pool[P_HELD] + qty
  pool[P_OFFERED] = pool[P_OFFERED] + qty
  if lane == 1 then
    pool[P_LANE_COUNT] = 0
  else
    if pool[P_LANE_COUNT] < t.rules.k - 1 then pool[P_LANE_COUNT], call = pool[P_LANE_COUNT] + 1, ADDED end
    called_up(t, entry[E_N])
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
  if call > 0 then whole_entry(entry) end
  if entry[E_CALL] then entry[E_CALL] = call end
  for i in ipairs(entry[E_POOLS]) do mark_in_line(t, 'buying', id, entry, i, true) end
  put(t, 'entries', id, entry)
  emit(t, 'offered', entry[E_FAN], '"entry":"' .. id .. '","n":' .. entry[E_N] .. ',"call":' .. lane
    .. ',"hold":"' .. hold_id .. '","pool":"' .. pool_id .. '","qty":' .. qty .. ',"price":' .. price
    .. ',"deadline":' .. deadline .. (key and ',"key":"' .. key .. '"' or '') .. of_cohort)
  refresh_readiness(t, entry[E_FAN], false)
  return hold_id
end
