--[[
units_by_item -- the units that count against the limit of each item, added to `units`: item -> qty.
--]]
--#use get given_back

local function units_by_item(t, fan, units)
  local function count(pool_id, qty)
    local item = t.record.pools[pool_id][P_ITEM]
    units[item] = (units[item] or 0) + qty
  end
  for _, id in ipairs(fan[F_HOLDS]) do
    local hold = get(t, 'holds', id)
    count(hold[H_POOL], hold[H_QTY])
  end
  for _, id in ipairs(fan[F_ORDERS]) do
    local order = get(t, 'orders', id)
    if not given_back(order) then count(order[O_POOL], order[O_QTY]) end
  end
  return units
end
