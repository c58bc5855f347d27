--[[
still_in_line -- is the fate of an entry open?
--]]

local function still_in_line(entry)
  return entry[E_STATE] == 'waiting' or entry[E_STATE] == 'offered'
end
