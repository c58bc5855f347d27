--[[
units_for -- how many units of a pool a call gives to an entry: what it asked for, while they are free, within its fan's
limit and his cohorts' ceilings.
--]]
--#use fan_of units_allowed cohort_for class_of

local function units_for(t, entry, pool_id)
  local pool, fan = t.record.pools[pool_id], fan_of(t, entry[E_FAN])
  local qty = math.min(entry[E_QTY], pool[P_FREE], units_allowed(t, fan, pool_id))
  if pool[P_CEILINGS] then
    local share = pool[P_CARRIED]
    if share[1] and (entry[E_CARRIED] or 0) > 0 then qty = math.min(qty, share[2] - share[1]) end
    return select(2, cohort_for(t, pool, class_of(t, fan), qty))
  end
  return qty
end
