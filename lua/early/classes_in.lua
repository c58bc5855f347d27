--[[
classes_in -- the classes of fans who may be called for a unit of this pool now: all of them where no ceiling is in force,
else those with room below one. A list, the smallest first.
--]]
--#use cohort_for memo

local EVERY = memo(function(cohorts)
  local classes = {}
  for class = 0, 2 ^ cohorts - 1 do classes[class + 1] = class end
  return classes
end)

local function classes_in(t, pool)
  local every = EVERY[#t.rules.cohorts]
  if not pool[P_CEILINGS][1] then return every end
  local classes = {}
  for _, class in ipairs(every) do
    local _, units = cohort_for(t, pool, class, 1)
    if units > 0 then classes[#classes + 1] = class end
  end
  return classes
end
