--[[
turn_calls -- calling hours begin or end. Where nothing ran for a while both may have come: what is told is what holds
now. Where the drop closed just before, there are none any more.
--]]
--#use plan_calls fields emit

local function turn_calls(t)
  if t.state ~= 'live' and t.state ~= 'paused' then return end
  local calls, till = plan_calls(t)
  emit(t, calls and 'calling' or 'quiet', nil, fields('until', till))
end
