--[[
line_range -- the bounds, for ZCOUNT, of a pool's entries in `places`, `ready` and `buying`, each once: its base lane, and
right behind it those that stand in the boost lane alone. In `ready` of one class of fans.
--]]
--#use line_score

local function line_range(pool_index, class)
  local start = (class or 0) * CLASS
  return string.format('%d', start + pool_index * 2 * LINE),
    '(' .. string.format('%d', start + (pool_index * 2 + 1) * LINE + 2 ^ 32)
end
