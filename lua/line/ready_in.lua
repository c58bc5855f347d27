--[[
ready_in -- how many entries of a pool, both lanes, may be offered a unit now. While it is not zero a
newcomer is refused.
--]]
--#use ready_of classes_in share_full carried_ready

local function ready_now(t, pool, class)
  local count = ready_of(t, pool, class)
  if share_full(t.record.pools[pool]) then count = count - carried_ready(t, pool, class) end
  return count
end

local function ready_in(t, pool)
  if not t.rules.cohorts then
    if t.rules.carried then return ready_now(t, pool, 0) end
    -- Every press asks.
    return t.ready_count[pool] or (ready_of(t, pool, 0))
  end
  local sum = 0
  for _, class in ipairs(classes_in(t, t.record.pools[pool])) do sum = sum + ready_now(t, pool, class) end
  return sum
end
