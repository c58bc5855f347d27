--[[
unfit_operator -- why a text does not name who commands: `rule`; nil when it is `o` and hex digits, or one of some
words, each between bars. Who that is stands in no log.
--]]
--#use unfit_word

local function unfit_operator(text, words, rule)
  if text and #text <= OPERATOR_CHARS_MAX and string.find(text, '^o[0-9a-f]+$') then return nil end
  return unfit_word(text, words, rule)
end
