--[[
enter_cohort -- a hold that sets `qty` units of a pool aside counts against a cohort of its fan, if a ceiling is in force.
Returns the JSON that tells it, '' where it counts against none.
--]]
--#use cohort_for class_of count_cohort count_carried

local function enter_cohort(t, pool, fan, hold, qty)
  count_carried(t, pool, hold, qty)
  local cohort = cohort_for(t, pool, class_of(t, fan), qty)
  if cohort == '' and not hold[H_COHORT] then return '' end
  hold[H_BEGUN_BY], hold[H_COHORT] = hold[H_BEGUN_BY] or '', cohort
  count_cohort(t, pool, cohort, qty)
  return cohort ~= '' and ',"cohort":"' .. cohort .. '"' or ''
end
