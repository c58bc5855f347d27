--[[
unfit_hex -- why a text is not hex digits in lower case, two a byte, from `least` to `most` bytes; nil when it is.
--]]
local function unfit_hex(text, least, most, name)
  if #text % 2 == 0 and #text >= least * 2 and #text <= most * 2 and not string.find(text, '[^0-9a-f]') then
    return nil
  end
  return name .. ' must be hex digits, ' .. least .. ' to ' .. most .. ' bytes'
end
