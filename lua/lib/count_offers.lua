--[[
count_offers -- count what each pool has offered and nobody claimed: layout 1 did not.
--]]
--#use each_standing unclaimed

local function count_offers(t)
  for _, pool in pairs(t.record.pools) do
    pool[P_OFFERED] = 0
  end
  each_standing(t, function(_, hold)
    if unclaimed(hold) then
      local pool = t.record.pools[hold[H_POOL]]
      pool[P_OFFERED] = pool[P_OFFERED] + hold[H_QTY]
    end
  end)
end
