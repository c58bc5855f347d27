--[[
widened -- the drop is open to all from now on: the ceilings have ended, and nothing else changes. When, by the true
clock, is kept.
--]]
--#use put

local function widened(t)
  for _, name in ipairs(t.pool_names) do
    local pool = t.record.pools[name]
    pool[P_CEILINGS] = {}
    put(t, 'pools', name, pool)
  end
  t.zset.due.widen, t.drop.widened = false, t.now - t.lead
end
