--[[
lobby_at -- when the list opens that chance orders, of the true clock: a lobby before the opening, the others with it.
--]]
local function lobby_at(rules)
  return rules.opens_ms - (rules.mode == 'lobby' and rules.window_ms or 0)
end
