--[[
word_of_state -- the refusal that a drop's present state is a reason for, or nil while it is live.
--]]
local WORDS = {
  draft = 'NOT_OPEN', scheduled = 'NOT_OPEN', lobby = 'NOT_OPEN', ordering = 'NOT_OPEN', paused = 'PAUSED', closing = 'CLOSED',
  settled = 'CLOSED', cancelled = 'CANCELLED', frozen = 'FROZEN',
}

local function word_of_state(t)
  return WORDS[t.state]
end
