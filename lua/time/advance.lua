--[[
advance -- settle what is due, then serve the line. Returns false when the books did not add up; else true,
and whether more is due than one script does.
--]]
--#use settle_due serve commit

local function advance(t)
  local more = settle_due(t)
  if not commit(t) then return false end
  if more then return true, true end
  more = serve(t)
  return commit(t), more
end
