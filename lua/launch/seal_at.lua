--[[
seal_at -- when a list is sealed of which the drop is to open at `opens_ms`, of the true clock: a lobby at the opening, the
others after their window; 0 where that is by hand.
--]]
local function seal_at(rules, opens_ms)
  return opens_ms > 0 and opens_ms + (rules.mode == 'lobby' and 0 or rules.window_ms) or 0
end
