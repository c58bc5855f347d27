--[[
new_hold -- free units become a hold of origin press. The caller has made sure that the fan may have them now, and
remembers what his key made. `c`: his command; `basket`: what of the event tells the basket that it is in, '' where it
is in none. Returns its id.
--]]
--#use terms_of digits packed_ids emit refresh_readiness get enter_cohort

local function new_hold(t, c, fan, pool_id, pool, qty, basket)
  local fan_id, key, holds = c[2], c[3], fan[F_HOLDS]
  t.holds = t.holds + 1
  local id, terms = digits('h', t.holds), terms_of(t, pool_id, qty)
  pool[P_FREE], pool[P_HELD] = pool[P_FREE] - qty, pool[P_HELD] + qty
  t.dirty.pools[pool_id] = true
  -- As msgpack alone; somebody who guessed the id may have been told that it does not exist.
  if t.record.holds[id] == false then t.record.holds[id] = nil end
  t.dirty.holds[id] = HoldRecord.packed{fan = fan_id, key = key, shared = terms.shared}
  local told = terms.event
  if pool[P_CEILINGS] then
    -- Nobody was told of it yet.
    local record = get(t, 'holds', id)
    told, t.dirty.holds[id] = told .. enter_cohort(t, pool, fan, record, qty), true
  end
  t.zset.due['h:' .. id] = terms.deadline
  fan[F_USED] = fan[F_USED] + qty
  holds[#holds + 1] = id
  emit(t, 'held', fan_id, '"key":"' .. key .. '","hold":"' .. id .. told .. basket)
  if fan[F_ENTRIES][1] then refresh_readiness(t, fan_id, false) end
  return id
end
