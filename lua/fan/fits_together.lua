--[[
fits_together -- would one fan who has what both have keep every limit, the drop's and each item's?
--]]
--#use get units_by_item

local function fits_together(t, guest, person)
  if guest[F_USED] + person[F_USED] > t.rules.limit then return false end
  local units = units_by_item(t, person, units_by_item(t, guest, {}))
  for item_id, qty in pairs(units) do
    local limit = get(t, 'items', item_id)[I_LIMIT]
    if limit > 0 and qty > limit then return false end
  end
  return true
end
