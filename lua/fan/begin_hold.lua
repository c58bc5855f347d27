--[[
begin_hold -- free units become a hold of origin press, which counts at the network where it begins, and its person at his
mail domain; unless one of them is full.
All else the caller has made sure of, as for `set_aside`.
--]]
--#use set_aside network_full count_network

local function begin_hold(t, c, fan, pool_id, pool, qty, body)
  local full = network_full(t, c[2])
  if full then return full end
  local outcome, holds = set_aside(t, c, fan, pool_id, pool, qty, body), fan[F_HOLDS]
  count_network(t, holds[#holds], c[2])
  return outcome
end
