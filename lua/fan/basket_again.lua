--[[
basket_again -- what a basket was answered, with its holds as they are now. `made`: what is remembered under its key, its number
and for each want in turn the hold that it got, or its refusal. Nil where one of these holds has been taken out: the key
is as new.
--]]
--#use get basketed

local function basket_again(t, made, was)
  local number, words = string.match(made, '^(%d+),(.*)$')
  local had, missing, place = {}, {}, 0
  for word in string.gmatch(words, '[^,]+') do
    if string.find(word, '^h%d') then
      if not get(t, 'holds', word) then return nil end
      had[#had + 1] = {place, word}
    else
      local refusal = {}
      for part in string.gmatch(word, '[^.]+') do refusal[#refusal + 1] = tonumber(part) or part end
      missing[#missing + 1] = {place, refusal}
    end
    place = place + 1
  end
  return basketed(t, tonumber(number), had, missing, was)
end
