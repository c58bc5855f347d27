--[[
way_of_payment -- the way of the drop's rules by which a payment was begun, or nil.
--]]

local function way_of_payment(t, payment)
  for _, way in ipairs(t.rules.ways or {}) do
    if way.id == payment[M_WAY] then return way end
  end
end
