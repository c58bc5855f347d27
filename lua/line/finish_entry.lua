--[[
finish_entry -- an entry's fate is final (served, dormant, left, removed): it leaves all its lines, and
everybody behind it moves up. The moves tell the screens; `extra` is more JSON for the event. A place that ended
without a sale stays in its fan's list, the last one alone, until he joins again: nobody loses it without a word.
`untold`: but for one whose fan stands in line by another.
--]]
--#use get fan_of put mark_in_line rank_of tell_boost remove_value forget_ended leave_list emit still_held uncount_network

local function finish_entry(t, id, entry, state, extra, untold)
  local placed = entry[E_N] > 0
  if not placed then leave_list(t, entry) end
  for i, pool_id in ipairs(placed and entry[E_POOLS] or {}) do
    local pool = t.record.pools[pool_id]
    if entry[E_READY][i] == 1 then mark_in_line(t, 'ready', id, entry, i, false) end
    mark_in_line(t, 'places', id, entry, i, false)
    if entry[E_STATE] == 'offered' then mark_in_line(t, 'buying', id, entry, i, false) end
    if entry[E_LANE] == 0 then
      local removed = pool[P_REMOVED]
      t.moves[#t.moves + 1] = {pool[P_INDEX] * 2, removed[1], entry[E_N]}
      removed[1] = removed[1] + 1
      put(t, 'pools', pool_id, pool)
    end
  end
  tell_boost(t, entry, rank_of(entry), 0)
  t.zset.due['e:' .. id] = false
  local hold = entry[E_HOLD] ~= '' and get(t, 'holds', entry[E_HOLD])
  uncount_network(t, id, hold and still_held(hold) and entry[E_HOLD] or nil)
  if state == 'served' or untold then
    remove_value(fan_of(t, entry[E_FAN])[F_ENTRIES], id)
  else
    forget_ended(t, entry[E_FAN])
  end
  entry[E_STATE], entry[E_COOL_MS] = state, 0
  put(t, 'entries', id, entry)
  emit(t, state, entry[E_FAN], '"entry":"' .. id .. '","n":' .. entry[E_N] .. (extra or ''))
end
