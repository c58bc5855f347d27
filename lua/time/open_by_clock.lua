--[[
open_by_clock -- the drop's own time to open has come. Not while the clock is in doubt; and where nothing ran for
a while, the clock may have leapt: whoever watches it says so within a few seconds.
--]]
--#use change_state by_clock emit plan_close begin_calls

local DOUBT_TOLD_MS = 5000

local function open_by_clock(t)
  if t.doubt or t.clock - t.gap < DOUBT_TOLD_MS and t.clock >= t.gap then return end
  t.zset.due.open = false
  if t.state == 'scheduled' then
    change_state(t, 'live')
    plan_close(t)
    begin_calls(t)
    emit(t, 'opened', nil, by_clock(t))
  end
end
