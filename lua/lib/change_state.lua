--[[
change_state -- the drop's stored state changes. This table is the law; a move that it lacks is a bug. In a drop that is
over nobody is counted any more.
--]]
local MOVES = {
  draft = {scheduled = true},
  scheduled = {lobby = true, live = true, cancelled = true, frozen = true},
  lobby = {ordering = true, cancelled = true, frozen = true},
  ordering = {live = true, cancelled = true, frozen = true},
  live = {paused = true, closing = true, cancelled = true, frozen = true},
  paused = {live = true, closing = true, cancelled = true, frozen = true},
  closing = {settled = true, cancelled = true, frozen = true},
  settled = {},
  cancelled = {},
  frozen = {scheduled = true, lobby = true, ordering = true, paused = true, closing = true, settled = true, cancelled = true},
}

local function change_state(t, state)
  assert(MOVES[t.state][state], 'no move from ' .. t.state .. ' to ' .. state)
  t.state = state
  if not next(MOVES[state] or {}) then t.over = true end
end
