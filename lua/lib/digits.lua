--[[
digits -- a word and the digits of a whole number that is not asked for again, such as an id: the last digit
is joined to the text of the rest, which the next ones share. NUMBER: the texts of numbers that repeat.
The server formats a number with so much care that it shows in the cost of a hold.
--]]
--#use memo

local NUMBER = memo(function(n) return string.format('%d', n) end)
local TENS = memo(function(n) return n == 0 and '' or string.format('%d', n / 10) end)

local function digits(word, n)
  local last = n % 10
  return word .. TENS[n - last] .. NUMBER[last]
end
