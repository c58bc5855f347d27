--[[
begin_lobby -- the list is open from now on. It is sealed at the time that was planned; where that is over already, or
nothing was planned, as long after now as the list is to be open. Returns when, by the drop's own time.
--]]
--#use seal_at change_state

local function begin_lobby(t)
  local rules = t.rules
  local seal = seal_at(rules, rules.opens_ms) + t.lead
  if seal <= t.now then seal = t.now + rules.window_ms end
  change_state(t, 'lobby')
  t.zset.due.lobby, t.zset.due.seal = false, seal
  return seal
end
