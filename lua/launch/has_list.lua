--[[
has_list -- does chance give out the arrivals of this drop? Then it opens a list, a lobby, before it opens.
--]]
local function has_list(t)
  return t.rules.mode ~= 'rush'
end
