--[[
plan_close -- the drop opens: it closes at its closing time, unless that is over. One that had come while nothing
was open was for nothing, and is still to come where the clock was wrong then.
--]]
local function plan_close(t)
  local close = t.rules.closes_ms + t.lead
  if t.rules.closes_ms > 0 and close > t.now then t.zset.due.close = close end
end
