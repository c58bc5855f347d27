--[[
points_fixed -- does nobody get more points any more? In a drop without them; and where they count until its list is sealed, or
until it opens.
--]]
local BEFORE = {scheduled = true, lobby = true}

local function points_fixed(t)
  local till = t.rules.points_until
  return not till or till == 'seal' and not BEFORE[t.state]
end
