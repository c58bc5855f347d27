--[[
units_of_press -- how many units of a pool a press for `qty` gets that this fan makes now: all of them, or with `fewer`
what there is. `line_first`: somebody in its line is ready. Returns nil and the refusal where it gets none.
--]]
--#use get units_allowed cohort_for class_of

local function units_of_press(t, fan, pool_id, pool, qty, fewer, line_first)
  local item = get(t, 'items', pool[P_ITEM])
  local left = units_allowed(t, fan, pool_id)
  if qty > item[I_MOST] then return nil, {'LIMIT_REACHED', math.min(left, item[I_MOST])} end
  if left < qty then
    if not fewer or left == 0 then return nil, {'LIMIT_REACHED', left} end
    qty = left
  end
  if line_first then return nil, {'ALL_HELD', 0, pool[P_HELD]} end
  if pool[P_FREE] < qty then
    if pool[P_FREE] == 0 and pool[P_HELD] == 0 then return nil, {'SOLD_OUT'} end
    if not fewer or pool[P_FREE] == 0 then return nil, {'ALL_HELD', pool[P_FREE], pool[P_HELD]} end
    qty = pool[P_FREE]
  end
  if pool[P_CEILINGS] then
    local _, most = cohort_for(t, pool, class_of(t, fan), qty)
    if most < qty and (not fewer or most == 0) then return nil, {'COHORT_FULL', most, t.rules.public_ms or 0} end
    qty = most
  end
  return qty
end
