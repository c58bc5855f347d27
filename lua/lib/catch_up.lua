--[[
catch_up -- what every script does before it decides anything: settle what is due, then serve the line.
Returns the word that the script must answer with instead of deciding (AGAIN, FROZEN), or nil.
--]]
--#use settle_due serve commit

local function catch_up(t)
  local more = settle_due(t)
  if not commit(t) then return 'FROZEN' end
  if more then return 'AGAIN' end
  more = serve(t)
  if not commit(t) then return 'FROZEN' end
  if more then return 'AGAIN' end
  return nil
end
