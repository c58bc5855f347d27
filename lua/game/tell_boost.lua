--[[
tell_boost -- an entry comes into the boost lane of each of its pools, moves in it, or leaves it: screens hear of its rank
before and after. 0: it is not there.
--]]
--#use put

local function tell_boost(t, entry, from, to)
  if entry[E_N] == 0 or from == to then return end
  for _, pool_id in ipairs(entry[E_POOLS]) do
    local pool = t.record.pools[pool_id]
    local removed = pool[P_REMOVED]
    t.moves[#t.moves + 1] = {pool[P_INDEX] * 2 + 1, removed[2], entry[E_N], from > 0 and from or -1, to > 0 and to or -1}
    removed[2] = removed[2] + 1
    put(t, 'pools', pool_id, pool)
  end
end
