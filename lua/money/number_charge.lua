--[[
number_charge -- the drop's own number of a charge that it is told of for the first time; nil where the provider's id
of an earlier one was lost: it may be this one. The next number is one more than there are charges, or the first
after that by which a drop of an older layout does not call one already.
--]]

local function number_charge(t, provider_id)
  local count = redis.call('HLEN', t.key.charges)
  -- A row each way.
  if redis.call('HLEN', t.key.charge_ids) < 2 * count then return nil end
  local charge
  repeat
    count = count + 1
    charge = string.format('c%d', count)
  until not redis.call('HGET', t.key.charges, charge)
  t.named = {charge, provider_id, BY_ID .. provider_id, charge}
  return charge
end
