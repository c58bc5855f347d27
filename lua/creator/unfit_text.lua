--[[
unfit_text -- why a text is not UTF-8 of that many characters: `rule`; nil when it is. What it says is not looked at.
--]]
--#use code_points text_ranges

local function unfit_text(text, least, most, rule)
  if not text or #text > most * 4 then return rule end
  local codes = code_points(text)
  if not codes then return NOT_UTF8 end
  if #codes < least or #codes > most then return rule end
end
