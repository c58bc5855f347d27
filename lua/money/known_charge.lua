--[[
known_charge -- what the drop calls a charge that it was told of before, by the provider's id, and how that ended;
nil for one that it does not know. A drop that nobody has lifted yet calls it by that id.
--]]

local function known_charge(t, provider_id)
  local charge = provider_id
  if t.schema >= NUMBERS_CHARGES then
    charge = redis.call('HGET', t.key.charge_ids, BY_ID .. provider_id)
    if not charge then return nil end
  end
  local ending = redis.call('HGET', t.key.charges, charge)
  if not ending then return nil end
  return charge, ending
end
