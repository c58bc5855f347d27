--[[
end_hold -- a hold ends unsold: its units become free, the fan's room grows, and an entry of the line
that it came from waits again (cooling) or, the second time, becomes dormant.

state: released | expired | cancelled. `key` is the fan's key, '' when the clock or the creator ended it.
--]]
--#use fields get put fan_of drop_from emit finish refresh stand digits

local LAPSES_MAX = 2

local function end_hold(t, id, hold, state, key, leaving)
  local fan_id, pool_id, qty = hold[H_FAN], hold[H_POOL], hold[H_QTY]
  local pool, fan = t.record.pools[pool_id], fan_of(t, fan_id)
  local entry_id = hold[H_ENTRY]
  local entry = entry_id ~= '' and state ~= 'cancelled' and get(t, 'entries', entry_id)
  if entry and (entry[E_STATE] ~= 'offered' or entry[E_HOLD] ~= id) then entry = false end

  pool[P_HELD], pool[P_FREE] = pool[P_HELD] - qty, pool[P_FREE] + qty
  fan[F_USED], fan[F_LAST] = fan[F_USED] - qty, id
  drop_from(fan[F_HOLDS], id)
  local unclaimed = hold[H_ORIGIN] == 'line' and hold[H_CLAIMED] == 0
  hold[H_STATE] = state
  put(t, 'holds', id, hold)
  t.dirty.pools[pool_id] = true
  t.zset.due['h:' .. id] = false

  local cool = 0
  if entry then
    entry[E_LAPSES], entry[E_HOLD] = entry[E_LAPSES] + 1, ''
    if entry[E_LANE] == 0 then pool[P_LANE_COUNT] = math.max(pool[P_LANE_COUNT] - 1, 0) end
    if entry[E_LAPSES] < LAPSES_MAX and not leaving then cool = t.now + t.rules.cool_ms end
  end
  local units = '"hold":"' .. id .. '","pool":"' .. pool_id .. '","qty":' .. NUMBER[qty]
  if state == 'cancelled' then
    emit(t, 'released', fan_id, '"key":"",' .. units .. ',"by":"creator"')
  elseif unclaimed then
    local name = state == 'expired' and 'lapsed' or 'declined'
    local tail = name == 'declined' and ',"key":"' .. key .. '"' or ''
    emit(t, name, fan_id, '"entry":"' .. entry_id .. '",' .. units .. ',"cool":' .. cool .. tail)
  elseif state == 'released' then
    emit(t, 'released', fan_id, '"key":"' .. key .. '",' .. units .. ',"by":"fan"')
  else
    emit(t, 'expired', fan_id, units)
  end
  if entry and not leaving then
    if cool == 0 then
      finish(t, entry_id, entry, 'dormant')
    else
      for i in ipairs(entry[E_POOLS]) do stand(t, 'buying', entry_id, entry, i, false) end
      entry[E_STATE], entry[E_COOL_MS] = 'waiting', cool
      t.zset.due['e:' .. entry_id] = cool
      put(t, 'entries', entry_id, entry)
      if not unclaimed then
        emit(t, 'cooled', fan_id, '"entry":"' .. entry_id .. '","cool":' .. cool)
      end
    end
  end
  if fan[F_ENTRIES][1] then refresh(t, fan_id, true) end
end
