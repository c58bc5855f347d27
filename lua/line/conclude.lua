--[[
conclude -- write what the script decided, then let the line have what became free. Returns false when
the books did not add up and the drop is frozen.
--]]
--#use commit serve

local function conclude(t)
  if not commit(t) then return false end
  serve(t)
  return commit(t)
end
