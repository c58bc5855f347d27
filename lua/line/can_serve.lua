--[[
can_serve -- could an entry with these pools of this fan ever be served? Not while his orders leave no room in any
of them: what he only holds may come back.
--]]
--#use units_allowed

local function can_serve(t, fan, pools)
  for _, pool in ipairs(pools) do
    if units_allowed(t, fan, pool, true) > 0 then return true end
  end
  return false
end
