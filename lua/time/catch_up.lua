--[[
catch_up -- what every script does before it decides anything. Returns the word that the script must answer
with instead of deciding (AGAIN, FROZEN), or nil.
--]]
--#use advance

local function catch_up(t)
  local fine, more = advance(t)
  if not fine then return 'FROZEN' end
  if more then return 'AGAIN' end
  return nil
end
