--[[
head_of_lane -- the first entry of one lane of a pool that is still ready in this transaction, or nil: of all classes of
fans who may be called now. Those of `but_fan` are passed over.
--]]
--#use head_of_class classes_in line_score rank_of

local function head_of_lane(t, heads, pool_id, lane, but_fan)
  if not t.rules.cohorts then return head_of_class(t, heads, 0, pool_id, lane, but_fan) end
  local first, first_id, best
  for _, class in ipairs(classes_in(t, t.record.pools[pool_id])) do
    local id, entry = head_of_class(t, heads, class, pool_id, lane, but_fan)
    local score = entry and line_score(0, lane, rank_of(entry), entry[E_N])
    if score and (not best or score < best) then first_id, first, best = id, entry, score end
  end
  return first_id, first
end
