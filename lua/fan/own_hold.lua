--[[
own_hold -- a hold by its id if it is this fan's, else nil: "none" and "not yours" look the same.
--]]
--#use get owner_of

local function own_hold(t, fan, id)
  local hold = get(t, 'holds', id)
  if hold and (hold[H_FAN] == fan or owner_of(t, hold[H_FAN]) == fan) then return hold end
  return nil
end
