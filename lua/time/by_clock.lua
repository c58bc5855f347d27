--[[
by_clock -- the JSON that the drop's own times sign their events with.
--]]
local function by_clock(t)
  t.revision = t.revision + 1
  t.drop.what, t.drop.by = 'the clock', 'clock'
  return '"by":"clock","key":"","revision":' .. t.revision
end
