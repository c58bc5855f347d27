--[[
tell_time -- what time it is in this transaction, by the drop's own clock.
--]]
local function tell_time(t, now)
  t.now = now
  -- Turning a number into text costs more than most of what a command does.
  t.now_text = string.format('%d', now)
end
