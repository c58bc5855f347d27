--[[
keep_hard_stops -- of a hold whose payment is asked about layout 3 keeps the hard stop beside the fan's own deadline.
What that deadline was, an older layout did not keep.
--]]
--#use each_standing put

local function keep_hard_stops(t)
  each_standing(t, function(id, hold)
    if hold[H_LOOKED] == 1 then
      hold[H_LOOKED] = hold[H_DEADLINE_MS]
      put(t, 'holds', id, hold)
    end
  end)
end
