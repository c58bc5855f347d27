--[[
enter_line -- a fan gets the next arrival and stands in the line of each pool of the list. In a lobby chance will give him his
arrival, and until then he stands in no line. Who is made good stands in the boost lanes as well. chance: see `enter_list`. of: the entry of an earlier drop that is carried over, or
nil.
--]]
--#use put fan_of forget_ended mark_in_line whole_entry rank_of tell_boost enter_list emit refresh_readiness

local function enter_line(t, fan_id, key, qty, pools, why, chance, of)
  t.arrivals = t.arrivals + 1
  local id, n, in_list = 'e' .. t.arrivals, t.state == 'lobby' and 0 or t.arrivals, ''
  local ready = {}
  for i in ipairs(pools) do ready[i] = 0 end
  local entry = EntryRecord{
    fan = fan_id, n = n, qty = qty, pools = pools, lane = 0, points = 0, state = 'waiting',
    lapses = 0, hold = '', ready = ready, cool_ms = 0, key = key,
  }
  if n == 0 then in_list = enter_list(t, entry, chance) end
  if of then
    whole_entry(entry)
    entry[E_CARRIED] = 1
    in_list = ',"of":"' .. of .. '"'
  end
  if why == 'makegood' then
    whole_entry(entry)
    entry[E_MADE_GOOD] = 1
  end
  put(t, 'entries', id, entry)
  local quoted = {}
  for i, pool in ipairs(pools) do
    if n > 0 then mark_in_line(t, 'places', id, entry, i, true) end
    quoted[i] = '"' .. pool .. '"'
  end
  tell_boost(t, entry, 0, rank_of(entry))
  -- A make-good is no joining: what ended before it is still told.
  if why == 'fan' then forget_ended(t, fan_id) end
  local entries = fan_of(t, fan_id)[F_ENTRIES]
  entries[#entries + 1] = id
  emit(t, 'joined', fan_id, '"key":"' .. key .. '","entry":"' .. id .. '","n":' .. n .. ',"qty":'
    .. qty .. ',"pools":[' .. table.concat(quoted, ',') .. '],"lane":0,"points":0,"why":"' .. why .. '"' .. in_list)
  refresh_readiness(t, fan_id, false)
  return id, entry
end
