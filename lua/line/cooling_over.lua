--[[
cooling_over -- an entry that lapsed has cooled and may be called again.
--]]
--#use get put refresh_readiness

local function cooling_over(t, id)
  local entry = get(t, 'entries', id)
  t.zset.due['e:' .. id] = false
  entry[E_COOL_MS] = 0
  put(t, 'entries', id, entry)
  refresh_readiness(t, entry[E_FAN], false)
end
