--[[
refresh_readiness -- bring the readiness of a fan's entries up to date: an entry may be offered a unit of a pool
while it has an arrival, waits, is not cooling, does not wait to be confirmed, and the fan has room for one. `freed`: room has just grown, which is
told in the log when it makes an entry ready.
--]]
--#use get put fan_of units_allowed mark_in_line emit

local function refresh_readiness(t, fan_id, freed)
  local fan = fan_of(t, fan_id)
  local entries = fan[F_ENTRIES]
  for n = 1, #entries do
    local id = entries[n]
    local entry = get(t, 'entries', id)
    local was, is = 0, 0
    local asked = entry[E_CARRIED] == 1
    for i, pool in ipairs(entry[E_POOLS]) do
      was = was + entry[E_READY][i]
      local want = entry[E_STATE] == 'waiting' and entry[E_COOL_MS] == 0 and entry[E_N] > 0 and not asked
        and units_allowed(t, fan, pool) >= 1
      if want ~= (entry[E_READY][i] == 1) then
        mark_in_line(t, 'ready', id, entry, i, want)
        put(t, 'entries', id, entry)
      end
      is = is + entry[E_READY][i]
    end
    if freed and was == 0 and is > 0 then emit(t, 'limit_freed', fan_id, '"entry":"' .. id .. '"') end
  end
end
