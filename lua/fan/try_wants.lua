--[[
try_wants -- what every want of a basket would get if it got what it wants, one after the other. Nothing is changed by it.
Returns a row for each, as `decide_want` answers, and whether all of them can be had.
--]]
--#use begin_basket decide_want class_of cohort_for count_cohort

-- So many units of a pool are the fan's, as far as the next want can see. Returns what takes that back.
local function pretend(t, fan, pool_id, units, id)
  local pool, holds, near, wide = t.record.pools[pool_id], fan[F_HOLDS], t.near, t.wide
  local cohort = pool[P_CEILINGS] and cohort_for(t, pool, class_of(t, fan), units) or ''
  local counts = t.names and near ~= '' and not (t.exempt and t.exempt[near])
  local at, around = counts and t.counted[near], counts and t.counted[wide]
  pool[P_FREE], pool[P_HELD] = pool[P_FREE] - units, pool[P_HELD] + units
  fan[F_USED] = fan[F_USED] + units
  t.record.holds[id] = {[H_POOL] = pool_id, [H_QTY] = units}
  holds[#holds + 1] = id
  count_cohort(t, pool, cohort, units)
  if counts then t.counted[near], t.counted[wide] = (at or 0) + 1, (around or 0) + 1 end
  return function()
    pool[P_FREE], pool[P_HELD] = pool[P_FREE] + units, pool[P_HELD] - units
    fan[F_USED] = fan[F_USED] - units
    t.record.holds[id], holds[#holds] = nil, nil
    count_cohort(t, pool, cohort, -units)
    if counts then t.counted[near], t.counted[wide] = at, around end
  end
end

local function try_wants(t, fan_id, fan, wants)
  local tried, undo, whole = {}, {}, true
  local b = begin_basket(t, fan_id, fan)
  for i = 1, #wants do
    local id, pool_id, units, refusal = decide_want(t, b, wants[i])
    tried[i] = {id, pool_id, units, refusal}
    if pool_id then
      -- No hold has such an id.
      undo[#undo + 1] = pretend(t, fan, pool_id, units, '?' .. i)
    end
    if id then b.answering[id] = true elseif not pool_id then whole = false end
  end
  for i = #undo, 1, -1 do undo[i]() end
  return tried, whole
end
