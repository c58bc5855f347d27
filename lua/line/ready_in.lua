--[[
ready_in -- how many entries of a pool, both lanes, may be offered a unit now. While it is not zero a
newcomer is refused.
--]]
--#use line_range

local function ready_in(t, pool)
  local count = t.ready_count[pool]
  if not count then
    local first, after = line_range(t.record.pools[pool][P_INDEX])
    count = redis.call('ZCOUNT', t.key.ready, first, after)
    t.ready_count[pool] = count
  end
  return count
end
