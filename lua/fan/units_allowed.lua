--[[
units_allowed -- how many more units of a pool's item this fan may take: the drop's limit and the item's, over
active holds, offers and unrefunded orders; over unrefunded orders alone with `orders_only`.
--]]
--#use get given_back

local function units_allowed(t, fan, pool, orders_only)
  local item_id = t.record.pools[pool][P_ITEM]
  local item = get(t, 'items', item_id)
  local all, of_item = 0, 0
  if orders_only or item[I_LIMIT] > 0 then
    for _, id in ipairs(fan[F_ORDERS]) do
      local order = get(t, 'orders', id)
      if not given_back(order) then
        all = all + order[O_QTY]
        if t.record.pools[order[O_POOL]][P_ITEM] == item_id then of_item = of_item + order[O_QTY] end
      end
    end
    if not orders_only then
      for _, id in ipairs(fan[F_HOLDS]) do
        local hold = get(t, 'holds', id)
        if t.record.pools[hold[H_POOL]][P_ITEM] == item_id then of_item = of_item + hold[H_QTY] end
      end
    end
  end
  if not orders_only then all = fan[F_USED] end
  local left = t.rules.limit - all
  if item[I_LIMIT] > 0 then left = math.min(left, item[I_LIMIT] - of_item) end
  return left > 0 and left or 0
end
