--[[
terms_of -- what all holds of one pool and quantity that are pressed for at this moment have in common:
`deadline`; `shared`, the msgpack of all fields but the fan and the key; `event`, the rest of the
event's JSON after the hold's id.
--]]
--#use get packed_ids

local function terms_of(t, pool_id, qty)
  local of_pool = t.terms[pool_id]
  if not of_pool then
    of_pool = {}
    t.terms[pool_id] = of_pool
  end
  local terms = of_pool[qty]
  if not terms then
    local price = get(t, 'items', t.record.pools[pool_id][P_ITEM])[I_PRICE]
    local deadline = t.now + t.rules.hold_ms
    terms = {
      deadline = deadline,
      shared = HoldRecord.packed_shared{
        pool = pool_id, qty = qty, price = price, origin = 'press', state = 'active',
        start_ms = t.now, deadline_ms = deadline, entry = '', claimed = 0, extended = 0, began = 0,
        looked = 0,
      },
      event = string.format('","pool":"%s","qty":%d,"price":%d,"deadline":%d', pool_id, qty, price,
        deadline),
    }
    of_pool[qty] = terms
  end
  return terms
end
