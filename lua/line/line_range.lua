--[[
line_range -- the bounds, for ZCOUNT, of both lanes of a pool in `places`, `ready` and `buying`; in `ready` of one class
of fans.
--]]
--#use line_score

local function line_range(pool_index, class)
  local start = (class or 0) * CLASS
  return string.format('%d', start + pool_index * 2 * LINE),
    '(' .. string.format('%d', start + (pool_index * 2 + 2) * LINE)
end
