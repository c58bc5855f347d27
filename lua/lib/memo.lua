--[[
memo -- a table that makes what it lacks with `make` and keeps it until the script ends.
--]]
local function memo(make)
  return setmetatable({}, {__index = function(kept, of)
    local made = make(of)
    kept[of] = made
    return made
  end})
end
