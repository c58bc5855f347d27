--[[
second_rank -- the rank of an entry in the boost lane beside its place in the base lane; 0: it has none there.
--]]
--#use rank_of

local function second_rank(entry)
  return entry[E_LANE] == 0 and rank_of(entry) or 0
end
