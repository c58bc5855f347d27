--[[
unfit_word -- why a text is none of some words, each between bars: `rule`; nil when it is one.
--]]
local function unfit_word(text, words, rule)
  if not text or string.find(text, '|', 1, true) or not string.find(words, '|' .. text .. '|', 1, true) then
    return rule
  end
end
