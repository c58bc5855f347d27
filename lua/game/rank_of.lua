--[[
rank_of -- where an entry stands in the boost lane, the highest first: by its points; made good, above all points; alone
there, as make-goods stood before layout 7, above those. 0: it does not stand there.
--]]
local function rank_of(entry)
  if entry[E_LANE] == 1 then return entry[E_POINTS] end
  return entry[E_MADE_GOOD] == 1 and MADE_GOOD or entry[E_POINTS]
end
