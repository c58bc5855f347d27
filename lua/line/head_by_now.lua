--[[
head_by_now -- the first entry of one lane of a pool that is ready, in the middle of a batch: also one that a command
before this one made ready, which no set has yet.
--]]
--#use get head_of_lane classes_in line_score rank_of share_full carried_before

local function head_by_now(t, pool_id, lane)
  local id, entry = head_of_lane(t, {}, pool_id, lane)
  local pool, called = t.record.pools[pool_id], {[0] = true}
  local index = pool[P_INDEX]
  local first = entry and line_score(index, lane, rank_of(entry), entry[E_N])
  if t.rules.cohorts then
    called = {}
    for _, class in ipairs(classes_in(t, pool)) do called[class] = true end
  end
  -- Those who were carried over have the first arrivals: with their share full nobody up to there is called.
  local passed = share_full(pool) and carried_before(t) or 0
  for member, score in pairs(t.zset.ready) do
    local class = score and math.floor(score / CLASS)
    local here = score and score - class * CLASS
    if here and called[class] and here % 2 ^ 32 > passed and math.floor(here / LINE) == index * 2 + lane and (not first or here < first) then
      id, first = string.match(member, '^(.-)@'), here
      entry = get(t, 'entries', id)
    end
  end
  return id, entry
end
