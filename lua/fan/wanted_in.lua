--[[
wanted_in -- how many units a want of a basket asked for that this hold answered. `made`: what is remembered under the
hold's key; nil where that is no basket, or the hold is none of it.
--]]

local function nth(texts, n)
  for text in string.gmatch(texts, '[^,]+') do
    n = n - 1
    if n == 0 then return text end
  end
end

local function wanted_in(made, id)
  local words, units = string.match(made, '^%d+,([^|]*)|basket|%d|([^|]*)|')
  local place = 0
  for word in string.gmatch(words or '', '[^,]+') do
    place = place + 1
    if word == id then return string.match(nth(units, place), '%d+') end
  end
end
