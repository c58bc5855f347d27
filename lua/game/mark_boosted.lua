--[[
mark_boosted -- keep an entry's second membership, in the boost lane of one of its pools, in or out of a set of lines.
`which` is places, ready or buying. Who is ready is counted where the entry stands in its first lane.
--]]
--#use line_score second_rank class_of fan_of

local function mark_boosted(t, which, id, entry, i, inside)
  local index = t.record.pools[entry[E_POOLS][i]][P_INDEX]
  local score = inside and line_score(index, 1, second_rank(entry), entry[E_N])
  if score and which == 'ready' and t.rules.cohorts then
    score = score + class_of(t, fan_of(t, entry[E_FAN])) * CLASS
  end
  t.zset[which][id .. '@' .. index .. '+'] = score
end
