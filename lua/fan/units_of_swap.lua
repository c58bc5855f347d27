--[[
units_of_swap -- the refusal of a fan who would give the units of a hold for as many of another pool, nil: he may. It is that
of a press for them, made without that hold; and where it came of a place that was carried over, its share must have
room there too.
--]]
--#use get ready_in units_of_press

-- Has the share of those who were carried over no room for so many units more?
local function beyond_share(t, hold, pool)
  local share = pool[P_CARRIED]
  if not share or not share[1] then return false end
  local entry = hold[H_ENTRY] ~= '' and get(t, 'entries', hold[H_ENTRY])
  return entry and (entry[E_CARRIED] or 0) > 0 and share[1] + hold[H_QTY] > share[2]
end

local function units_of_swap(t, fan, hold, pool_id, pool)
  local qty = hold[H_QTY]
  fan[F_USED], hold[H_QTY] = fan[F_USED] - qty, 0
  local _, refusal = units_of_press(t, fan, pool_id, pool, qty, false, ready_in(t, pool_id) > 0)
  fan[F_USED], hold[H_QTY] = fan[F_USED] + qty, qty
  if not refusal and beyond_share(t, hold, pool) then refusal = {'ALL_HELD', pool[P_FREE], pool[P_HELD]} end
  return refusal
end
