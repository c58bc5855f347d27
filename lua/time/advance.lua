--[[
advance -- lift what an older engine left, settle what is due, then serve the line. Returns false when the
books did not add up; else true, and whether more is due than one script does.
--]]
--#use lift settle_due serve commit

local function advance(t)
  if t.schema < SCHEMA then lift(t) end
  local more = settle_due(t)
  if not commit(t) then return false end
  if more then return true, true end
  more = serve(t)
  return commit(t), more
end
