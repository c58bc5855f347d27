--[[
adds_up -- conservation: is what a pool counts exactly its cap, and no count below nothing?
--]]
local function adds_up(pool)
  local sum = pool[P_FREE] + pool[P_HELD] + pool[P_SOLD] + pool[P_WITHHELD] + pool[P_LEASED]
  return sum == pool[P_CAP] and math.min(pool[P_FREE], pool[P_OFFERED], pool[P_HELD] - pool[P_OFFERED],
    pool[P_SOLD], pool[P_WITHHELD], pool[P_LEASED]) >= 0
end
