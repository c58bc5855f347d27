--[[
ready_in -- how many entries of a pool, both lanes, may be offered a unit now. While it is not zero a
newcomer is refused.
--]]
--#use ready_of classes_in

local function ready_in(t, pool)
  -- Every press asks.
  if not t.rules.cohorts then return t.ready_count[pool] or (ready_of(t, pool, 0)) end
  local sum = 0
  for _, class in ipairs(classes_in(t, t.record.pools[pool])) do sum = sum + ready_of(t, pool, class) end
  return sum
end
