--[[
name_told_charges -- the charges that a drop of an older layout has told of keep the provider's ids for their names:
so stand their duties, and so their log tells of them.
--]]

local function name_told_charges(t)
  local named, n = {}, 0
  local told = redis.call('HGETALL', t.key.charges)
  for i = 1, #told, 2 do
    local charge = told[i]
    named[n + 1], named[n + 2], named[n + 3], named[n + 4] = charge, charge, BY_ID .. charge, charge
    n = n + 4
  end
  t.named = named
end
