--[[
enter_line -- a fan gets the next arrival and stands in the line of each pool of the list.
--]]
--#use put fan_of forget_ended mark_in_line emit refresh_readiness

local function enter_line(t, fan_id, key, qty, pools, lane, points, why)
  t.arrivals = t.arrivals + 1
  local id, n = 'e' .. t.arrivals, t.arrivals
  local ready = {}
  for i in ipairs(pools) do ready[i] = 0 end
  local entry = EntryRecord{
    fan = fan_id, n = n, qty = qty, pools = pools, lane = lane, points = points, state = 'waiting',
    lapses = 0, hold = '', ready = ready, cool_ms = 0, key = key,
  }
  put(t, 'entries', id, entry)
  local quoted = {}
  for i, pool in ipairs(pools) do
    mark_in_line(t, 'places', id, entry, i, true)
    quoted[i] = '"' .. pool .. '"'
  end
  -- A make-good is no joining: what ended before it is still told.
  if why == 'fan' then forget_ended(t, fan_id) end
  local entries = fan_of(t, fan_id)[F_ENTRIES]
  entries[#entries + 1] = id
  emit(t, 'joined', fan_id, '"key":"' .. key .. '","entry":"' .. id .. '","n":' .. n .. ',"qty":'
    .. qty .. ',"pools":[' .. table.concat(quoted, ',') .. '],"lane":' .. lane .. ',"points":'
    .. points .. ',"why":"' .. why .. '"')
  refresh_readiness(t, fan_id, false)
  return id, entry
end
