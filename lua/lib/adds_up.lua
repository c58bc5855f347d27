--[[
adds_up -- conservation: is what a pool counts exactly its cap, and no count below nothing? And no cohort's above its
ceiling?
--]]
local function within_ceilings(pool)
  for i, counted in ipairs(pool[P_COUNTED] or {}) do
    if counted < 0 or counted > (pool[P_CEILINGS][i] or math.huge) then return false end
  end
  return ((pool[P_CARRIED] or {})[1] or 0) >= 0
end

local function adds_up(pool)
  if pool[P_COUNTED] and not within_ceilings(pool) then return false end
  local sum = pool[P_FREE] + pool[P_HELD] + pool[P_SOLD] + pool[P_WITHHELD] + pool[P_LEASED]
  return sum == pool[P_CAP] and math.min(pool[P_FREE], pool[P_OFFERED], pool[P_HELD] - pool[P_OFFERED],
    pool[P_SOLD], pool[P_WITHHELD], pool[P_LEASED]) >= 0
end
