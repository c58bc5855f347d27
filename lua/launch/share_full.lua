--[[
share_full -- do those whose places were carried over have their share of a pool? Then nobody of them is called for it. The
share is over once its last free unit was taken: from then on they are as others are.
--]]
local function share_full(pool)
  local share = pool[P_CARRIED]
  return share ~= nil and share[1] ~= nil and share[1] >= share[2]
end
