--[[
unfit_line -- why a text that people read is not one line of that many characters: `rule`, or what it contains;
nil when it is one.
--]]
--#use code_points text_ranges

local function among(code, ranges)
  for i = 1, #ranges do
    if code >= ranges[i][1] and code <= ranges[i][2] then return true end
  end
  return false
end

local function marked(sentence, code)
  return sentence .. string.format(' (U+%04X)', code)
end

local function unfit_line(text, least, most, rule)
  -- No character has more than four bytes: what is far too long is not looked at.
  if not text or #text > most * 4 then return rule end
  local codes = code_points(text)
  if not codes then return NOT_UTF8 end
  if #codes < least or #codes > most then return rule end
  local shows = #codes == 0
  for i = 1, #codes do
    local code = codes[i]
    if code == 10 then return marked(NEW_LINE, code) end
    if among(code, TURNING) then return marked(TURNS, code) end
    if among(code, CONTROLS) then return marked(CONTROL, code) end
    shows = shows or not among(code, BLANK)
  end
  if not shows then return NOTHING end
end
