--[[
forget_ended -- the places of a fan that have ended are not told any more: only open ones stay in his list.
--]]
--#use get fan_of still_in_line

local function forget_ended(t, fan_id)
  local fan, open = fan_of(t, fan_id), {}
  for _, id in ipairs(fan[F_ENTRIES]) do
    if still_in_line(get(t, 'entries', id)) then open[#open + 1] = id end
  end
  fan[F_ENTRIES] = open
end
