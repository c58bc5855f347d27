--[[
open_entry -- the entry of a fan in the base lane whose fate is open: its id and its record, or nil.
--]]
--#use get still_in_line

local function open_entry(t, fan)
  for _, id in ipairs(fan[F_ENTRIES]) do
    local entry = get(t, 'entries', id)
    if entry[E_LANE] == 0 and still_in_line(entry) then return id, entry end
  end
end
