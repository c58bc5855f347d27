--[[
end_first_round -- nobody else can be called: the first round is over, where there was one.
--]]
--#use in_first_round emit

local function end_first_round(t)
  local offers = in_first_round(t)
  if not offers then return end
  t.first, t.drop.first, t.drop.won = false, '', offers
  emit(t, 'allotted', nil, '"offers":' .. offers)
end
