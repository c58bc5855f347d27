--[[
seal_list -- the list is fixed: nobody comes in any more. When, by the true clock, is kept: a beacon's round must come
after it. Returns how many stand in it.
--]]
--#use change_state entered carried_before

local function seal_list(t)
  change_state(t, 'ordering')
  t.zset.due.seal = false
  t.drop.sealed, t.drop.placed = t.now - t.lead, carried_before(t)
  return entered(t)
end
