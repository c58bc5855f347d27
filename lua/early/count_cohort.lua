--[[
count_cohort -- so many units of a pool more, or fewer, count against a cohort. '': against none.
--]]
local function count_cohort(t, pool, cohort, qty)
  if not cohort or cohort == '' then return end
  for i, id in ipairs(t.rules.cohorts) do
    if id == cohort then pool[P_COUNTED][i] = pool[P_COUNTED][i] + qty end
  end
end
