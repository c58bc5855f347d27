--[[
ready_of -- how many entries of one class of fans stand ready for a pool, in both lanes.
--]]
--#use line_range

local function ready_of(t, pool, class)
  local name = class == 0 and pool or class .. '@' .. pool
  local count = t.ready_count[name]
  if not count then
    local first, after = line_range(t.record.pools[pool][P_INDEX], class)
    count = redis.call('ZCOUNT', t.key.ready, first, after)
    t.ready_count[name] = count
  end
  return count, name
end
