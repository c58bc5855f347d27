--[[
by_hand -- does a person have to see the money come, by the word of its provider?
--]]
local HANDS = {by_hand = true, cash = true}

local function by_hand(provider)
  return HANDS[provider] == true
end
