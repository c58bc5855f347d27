--[[
fits_together -- would one fan who has what both have keep every limit, the drop's and each item's?
--]]
--#use get given_back

-- Units that count against the limit of each item: item -> qty.
local function count_units(t, fan, units)
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
end

local function fits_together(t, guest, person)
  if guest[F_USED] + person[F_USED] > t.rules.limit then return false end
  local units = {}
  count_units(t, guest, units)
  count_units(t, person, units)
  for item_id, qty in pairs(units) do
    local limit = get(t, 'items', item_id)[I_LIMIT]
    if limit > 0 and qty > limit then return false end
  end
  return true
end
