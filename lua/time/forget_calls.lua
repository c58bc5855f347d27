--[[
forget_calls -- the line calls nobody any more, at whatever hour, and the drop is not opened to more people.
--]]
local function forget_calls(t)
  t.zset.due.quiet, t.zset.due.calls, t.zset.due.widen = false, false, false
end
