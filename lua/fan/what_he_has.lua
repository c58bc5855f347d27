--[[
what_he_has -- what counts against a fan's limit, as rows {hold, pool, qty, what it is: offer, hold or order}.
--]]
--#use get given_back unclaimed

local function what_he_has(t, fan)
  local rows = {}
  for _, id in ipairs(fan[F_HOLDS]) do
    local hold = get(t, 'holds', id)
    rows[#rows + 1] = {id, hold[H_POOL], hold[H_QTY], unclaimed(hold) and 'offer' or 'hold'}
  end
  for _, id in ipairs(fan[F_ORDERS]) do
    local order = get(t, 'orders', id)
    if not given_back(order) then rows[#rows + 1] = {id, order[O_POOL], order[O_QTY], 'order'} end
  end
  return rows
end
