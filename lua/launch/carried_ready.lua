--[[
carried_ready -- how many carried entries of one class may be offered a unit of a pool now, but for their share; and under which
name that is counted.
--]]
--#use line_score carried_before

local function carried_ready(t, pool, class)
  local name = '~' .. class .. '@' .. pool
  local count = t.ready_count[name]
  if not count then
    local first = class * CLASS + line_score(t.record.pools[pool][P_INDEX], 0, 0, 0)
    count = redis.call('ZCOUNT', t.key.ready, string.format('%d', first),
      string.format('%d', first + carried_before(t)))
    t.ready_count[name] = count
  end
  return count, name
end
