--[[
plan_widening -- the drop opens: it is open to all at its time for that, where it has one; a moment later where that is
over.
--]]
--#use is_early

local function plan_widening(t)
  local public_ms = t.rules.public_ms or 0
  if public_ms > 0 and is_early(t) then t.zset.due.widen = math.max(public_ms + t.lead, t.now + 1) end
end
