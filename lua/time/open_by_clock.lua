--[[
open_by_clock -- the drop's own time to open has come.
--]]
--#use change_state by_clock emit

local function open_by_clock(t)
  t.zset.due.open = false
  if t.state == 'scheduled' then
    change_state(t, 'live')
    emit(t, 'opened', nil, by_clock(t))
  end
end
