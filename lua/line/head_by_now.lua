--[[
head_by_now -- the first entry of one lane of a pool that is ready, in the middle of a batch: also one that a command
before this one made ready, which no set has yet.
--]]
--#use get head_of_lane line_score

local function head_by_now(t, pool_id, lane)
  local id, entry = head_of_lane(t, {}, pool_id, lane)
  local index = t.record.pools[pool_id][P_INDEX]
  local first = entry and line_score(index, lane, entry[E_POINTS], entry[E_N])
  for member, score in pairs(t.zset.ready) do
    if score and math.floor(score / LINE) == index * 2 + lane and (not first or score < first) then
      id, first = string.match(member, '^(.-)@'), score
      entry = get(t, 'entries', id)
    end
  end
  return id, entry
end
