--[[
close_by_clock -- the drop's own time to close has come.
--]]
--#use change_state by_clock emit forget_calls

local function close_by_clock(t)
  t.zset.due.close = false
  if t.state == 'live' or t.state == 'paused' then
    change_state(t, 'closing')
    forget_calls(t)
    emit(t, 'closed', nil, by_clock(t))
  end
end
