--[[
forget_calls -- the line calls nobody any more, at whatever hour.
--]]
local function forget_calls(t)
  t.zset.due.quiet, t.zset.due.calls = false, false
end
