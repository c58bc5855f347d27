--[[
passes -- is this who pauses a drop until something is well again? Only such a pause ends by itself.
--]]

local function passes(by)
  return by == 'disk' or by == 'durability'
end
