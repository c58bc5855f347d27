--[[
unfit_id -- why a text is not an id or a key of that many letters: `rule`; nil when it is one. Ids stand in
events as they come.
--]]
local function unfit_id(text, least, most, rule)
  if not text or #text < least or #text > most or string.find(text, '[^' .. ID_LETTERS .. ']') then
    return rule
  end
end
