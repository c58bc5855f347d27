--[[
unfit_whole -- why a text is not the digits of a whole number within bounds: `rule`; nil when it is one.
--]]
local function unfit_whole(text, least, most, rule)
  -- With sixteen digits a number is still exact enough to be compared.
  local number = text and #text <= 16 and string.find(text, '^%d+$') and tonumber(text)
  if not number or number < least or number > most then return rule end
end
