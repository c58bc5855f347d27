--[[
offer_window -- for how long the next offer stands: an offer of the first round has a window of its own, and is counted.
--]]
--#use in_first_round

local function offer_window(t)
  local first = in_first_round(t)
  if not first then return t.rules.offer_ms end
  t.first = first + 1
  t.drop.first = t.first
  return t.rules.first_offer_ms
end
