--[[
line_score -- where an entry stands in the sets `places`, `ready` and `buying`: all lines share one set,
each pool has two lanes in it, base by arrival, boost by rank (`rank_of`) and then arrival. In `ready` each class of fans has lines
of its own (`class_of`), which begin at `CLASS` times its number.
Scores stay below 2^53: 16 classes, 64 pools, ranks to 1,023, arrivals to 2^32.
--]]
local LINE = 2 ^ 42
local CLASS = 128 * LINE

local function line_score(pool_index, lane, rank, n)
  if lane == 0 then rank = 0 end
  return (pool_index * 2 + lane) * LINE + (POINTS_MAX - rank) * 2 ^ 32 + n
end
