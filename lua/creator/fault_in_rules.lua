--[[
fault_in_rules -- the number of a drop's rules that is not within its bounds, as a sentence, or nil. What a
drop is published with stays: a sale cannot be right by wrong rules.
--]]
--#use rule_bounds

local function number_outside(given, bounds)
  for i = 1, #bounds do
    local name, least, most, by_hand = unpack(bounds[i])
    local value = given[name]
    -- What says nothing may be left out of what the scripts read.
    if value == nil and least == 0 and not by_hand then value = 0 end
    local whole = type(value) == 'number' and value % 1 == 0
    if not (whole and (value >= least and value <= most or by_hand and value == 0)) then
      return string.format('%s must be a whole number from %.0f to %.0f', name, least, most)
    end
  end
end

-- Of one pool, the `place`th.
local function fault_in_ceilings(cohorts, pool, place)
  local together = 0
  for _, cohort in ipairs(cohorts) do
    local most = cohort.most[place]
    if type(most) ~= 'number' or most % 1 ~= 0 or most < 0 then return 'most must be a whole number for each pool' end
    together = together + most
  end
  if together > pool.cap then return 'most of all cohorts together must not be above cap' end
end

local function fault_in_rules(rules)
  local fault = number_outside(rules, DROP_BOUNDS)
  if not fault and rules.mode ~= 'rush' then
    fault = not rules.randomness and 'randomness must be named' or number_outside(rules, LIST_BOUNDS)
  end
  if not fault and rules.cohorts then
    fault = number_outside({cohorts = #rules.cohorts, public_ms = rules.public_ms or 0}, EARLY_BOUNDS)
  end
  if not fault and rules.calls then fault = number_outside(rules.calls, CALLS_BOUNDS) end
  for i = 1, #rules.items do
    fault = fault or number_outside(rules.items[i], ITEM_BOUNDS)
  end
  for i = 1, #rules.pools do
    local pool = rules.pools[i]
    fault = fault or number_outside(pool, POOL_BOUNDS)
    if not fault and pool.withheld > pool.cap then fault = 'withheld must not be above cap' end
    if not fault and rules.cohorts then fault = fault_in_ceilings(rules.cohorts, pool, i) end
  end
  return fault
end
