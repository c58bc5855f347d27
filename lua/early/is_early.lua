--[[
is_early -- is this early access, before the drop is open to all?
--]]
local function is_early(t)
  return t.rules.cohorts ~= nil and t.record.pools[t.pool_names[1]][P_CEILINGS][1] ~= nil
end
