--[[
advance -- tell the time, lift what an older engine left, settle what is due, then serve the line. Returns false
when the books did not add up; else true, and whether more is due than one script does.
--]]
--#use lift notice_outage settle_due serve commit

local function advance(t)
  notice_outage(t)
  if t.schema < SCHEMA then lift(t) end
  -- What is due is read from what is stored.
  if #t.log > 0 and not commit(t) then return false end
  local more = settle_due(t)
  if not commit(t) then return false end
  if more then return true, true end
  more = serve(t)
  return commit(t), more
end
