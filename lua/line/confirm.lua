--[[
confirm -- {verb, fan, key, entry}: a place that was carried over from an earlier drop is still wanted. From now on it may be
called; until then it only stands there.
--]]
--#use get put fan_of owner_of still_in_line may_go_on refresh_readiness emit

local OVER = {closing = 'CLOSED', settled = 'CLOSED'}

local function confirm(t, c)
  local fan_id, key, id = c[2], c[3], c[4]
  local entry = get(t, 'entries', id)
  if not entry or entry[E_FAN] ~= fan_id and owner_of(t, entry[E_FAN]) ~= fan_id then return {'NOT_FOUND'} end
  if (entry[E_CARRIED] or 0) == 0 or not still_in_line(entry) then return {'NOT_FOUND'} end
  local was = fan_of(t, fan_id)[F_SEQ]
  local refusal = may_go_on(t) or OVER[t.state]
  if refusal then return {refusal} end
  if entry[E_CARRIED] == 1 then
    entry[E_CARRIED] = 2
    put(t, 'entries', id, entry)
    emit(t, 'confirmed', fan_id, '"key":"' .. key .. '","entry":"' .. id .. '"')
    refresh_readiness(t, fan_id, false)
  end
  return {'CONFIRMED', id, entry, t.seq, was}
end
