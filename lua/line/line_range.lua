--[[
line_range -- the bounds, for ZCOUNT, of both lanes of a pool in `places`, `ready` and `buying`.
--]]
--#use line_score

local function line_range(pool_index)
  return string.format('%d', pool_index * 2 * LINE),
    '(' .. string.format('%d', (pool_index * 2 + 2) * LINE)
end
