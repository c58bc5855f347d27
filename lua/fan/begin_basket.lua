--[[
begin_basket -- what the wants of a basket are decided by: `mine`, the holds of its fan by their pools, and which of them
answered a want already; `class`, which cohorts he is in; `units` of each item that he has, once somebody asks.
--]]
--#use get class_of

local function begin_basket(t, fan_id, fan)
  local mine, holds = {}, fan[F_HOLDS]
  for i = 1, #holds do
    local pool_id = get(t, 'holds', holds[i])[H_POOL]
    local here = mine[pool_id] or {}
    mine[pool_id], here[#here + 1] = here, holds[i]
  end
  return {fan_id = fan_id, fan = fan, mine = mine, answering = {}, class = class_of(t, fan), units = nil}
end
