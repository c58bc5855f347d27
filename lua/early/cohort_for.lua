--[[
cohort_for -- which cohort units of a pool count against that a fan of this class takes, and how many of `qty` he may take:
the first of his that has room for all of them, else the first of those with the most room. Returns '' where he is in
none that has room, and where no ceiling is in force; then he may take all.
--]]
local function cohort_for(t, pool, class, qty)
  local ceilings = pool[P_CEILINGS]
  if not ceilings or not ceilings[1] then return '', qty end
  local counted, best, most = pool[P_COUNTED], '', 0
  for i, cohort in ipairs(t.rules.cohorts) do
    if class % 2 == 1 then
      local units = math.min(qty, ceilings[i] - counted[i])
      if units > most then best, most = cohort, units end
    end
    class = math.floor(class / 2)
  end
  return best, most
end
