--[[
open_by_clock -- the drop's own time to open has come. Not while the clock is in doubt, nor while places are to be carried over.
--]]
--#use in_doubt to_carry change_state by_clock emit plan_close begin_calls plan_widening

local function open_by_clock(t)
  if in_doubt(t) or to_carry(t) then return end
  t.zset.due.open = false
  if t.state == 'scheduled' then
    change_state(t, 'live')
    plan_close(t)
    plan_widening(t)
    begin_calls(t)
    emit(t, 'opened', nil, by_clock(t))
  end
end
