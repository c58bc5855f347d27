--[[
class_of -- in which cohorts a fan is, as one number: a bit each, in the manifest's order. Fans of one class have the
same room everywhere, so each class has lines of its own. 0 of who is in none, and of everybody where there are none.
--]]
local function class_of(t, fan)
  local cohorts, mine = t.rules.cohorts, fan and fan[F_COHORTS]
  if not cohorts or not mine or not mine[1] then return 0 end
  local class, bit = 0, 1
  for _, cohort in ipairs(cohorts) do
    for _, id in ipairs(mine) do
      if id == cohort then class = class + bit end
    end
    bit = bit * 2
  end
  return class
end
