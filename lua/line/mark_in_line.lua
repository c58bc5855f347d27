--[[
mark_in_line -- keep an entry in, or take it out of, the sets of one of its pools, in both lanes if it stands in both.
`which` is places, ready or buying; the count of ready entries follows, so that a batch sees its own changes.
--]]
--#use line_score second_rank mark_boosted ready_of class_of fan_of carried_ready

local function mark_in_line(t, which, id, entry, i, inside)
  local pool = entry[E_POOLS][i]
  local index = t.record.pools[pool][P_INDEX]
  local score = inside and line_score(index, entry[E_LANE], entry[E_POINTS], entry[E_N]) or false
  if which == 'ready' then
    local class = t.rules.cohorts and class_of(t, fan_of(t, entry[E_FAN])) or 0
    local count, counted = ready_of(t, pool, class)
    t.ready_count[counted] = count + (inside and 1 or -1)
    if (entry[E_CARRIED] or 0) > 0 then
      count, counted = carried_ready(t, pool, class)
      t.ready_count[counted] = count + (inside and 1 or -1)
    end
    entry[E_READY][i] = inside and 1 or 0
    if score then score = score + class * CLASS end
  end
  t.zset[which][id .. '@' .. index] = score
  if second_rank(entry) > 0 then mark_boosted(t, which, id, entry, i, inside) end
end
