--[[
enter -- a fan gets the next arrival and stands in the line of each pool of the list.
--]]
--#use fields put fan_of stand emit refresh

local function enter(t, fan_id, key, qty, pools, lane, points, why)
  t.arrivals = t.arrivals + 1
  local id, n = 'e' .. t.arrivals, t.arrivals
  local ready = {}
  for i in ipairs(pools) do ready[i] = 0 end
  local entry = {fan_id, n, qty, pools, lane, points, 'waiting', 0, '', ready, 0, key}
  put(t, 'entries', id, entry)
  local quoted = {}
  for i, pool in ipairs(pools) do
    stand(t, 'places', id, entry, i, true)
    quoted[i] = '"' .. pool .. '"'
  end
  local entries = fan_of(t, fan_id)[F_ENTRIES]
  entries[#entries + 1] = id
  emit(t, 'joined', fan_id, '"key":"' .. key .. '","entry":"' .. id .. '","n":' .. n .. ',"qty":'
    .. qty .. ',"pools":[' .. table.concat(quoted, ',') .. '],"lane":' .. lane .. ',"points":'
    .. points .. ',"why":"' .. why .. '"')
  refresh(t, fan_id, false)
  return id, entry
end
