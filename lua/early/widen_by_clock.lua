--[[
widen_by_clock -- the time has come at which the drop is open to all. Not while the clock is in doubt.
--]]
--#use in_doubt is_early widened by_clock emit

local function widen_by_clock(t)
  if in_doubt(t) then return end
  t.zset.due.widen = false
  if (t.state == 'live' or t.state == 'paused') and is_early(t) then
    widened(t)
    emit(t, 'widened', nil, by_clock(t))
  end
end
