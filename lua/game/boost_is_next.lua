--[[
boost_is_next -- is the next call of this pool one of its boost lane, if somebody is ready there? After k - 1 base calls; but the
first round calls by the order that chance gave alone.
--]]
--#use in_first_round

local function boost_is_next(t, pool_id)
  return t.record.pools[pool_id][P_LANE_COUNT] == t.rules.k - 1 and not in_first_round(t)
end
