--[[
rerank -- an entry has these points, up to this number of its fan's book, and was made good or not (1 or 0): its second
membership, in the boost lane of each of its pools, begins, moves or ends.
--]]
--#use put second_rank whole_entry mark_boosted tell_boost

local function rerank(t, id, entry, points, book, made_good)
  local from = second_rank(entry)
  whole_entry(entry)
  entry[E_POINTS], entry[E_BOOK], entry[E_MADE_GOOD] = points, book, made_good
  put(t, 'entries', id, entry)
  local to = second_rank(entry)
  if from == to or entry[E_N] == 0 then return end
  for i in ipairs(entry[E_POOLS]) do
    mark_boosted(t, 'places', id, entry, i, to > 0)
    if entry[E_READY][i] == 1 then mark_boosted(t, 'ready', id, entry, i, to > 0) end
    if entry[E_STATE] == 'offered' then mark_boosted(t, 'buying', id, entry, i, to > 0) end
  end
  tell_boost(t, entry, from, to)
end
