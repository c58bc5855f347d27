--[[
join -- {verb, fan, key, qty, pools, chance}: the liked best pool comes first. It is decided as a press: what can be
had at once is held on a press's terms, so that the line keeps nothing set aside for longer than a press does. In early
access who is in no cohort is refused, and who finds his cohorts' ceilings reached waits until they have room or end.
Only if nothing can, the fan stands in line for all of them. A fan has one open entry of this kind; joining
again answers it. Who could never be served, because his orders fill his limit, gets none. In a lobby he stands in
the list that chance will order; chance: as `enter_list` takes it.
--]]
--#use get fan_of answered answer_beginning granted open_entry may_press too_soon units_allowed
--#use set_aside begin_hold can_serve enter_line network_full count_network not_eligible cohort_for class_of

local function join(t, c)
  local fan_id, key, qty, pools, chance, field = c[2], c[3], c[4], c[5], c[6], c[7]
  local body = 'join|' .. qty .. '|' .. table.concat(pools, ',')
  if chance and chance[2] ~= '' then body = body .. '|' .. chance[2] end
  local made = answered(t, field, body)
  if made == nil then return {'KEY_REUSED'} end
  local fan = fan_of(t, fan_id)
  local was = fan[F_SEQ]
  if made and string.sub(made, 1, 1) == 'h' then
    -- What ended a day ago may have been taken out, and its key is as new.
    if get(t, 'holds', made) then return granted(t, 'HELD', made, was) end
  elseif made then
    return {'JOINED', made, get(t, 'entries', made), t.seq, was}
  end

  for _, pool in ipairs(pools) do
    if not t.record.pools[pool] then return {'NOT_FOUND'} end
  end
  local refusal = may_press(t)
  if refusal and refusal ~= 'PAUSED' and t.state ~= 'lobby' then return {refusal} end
  local early = t.rules.cohorts and not_eligible(t, fan)
  if early then return early end
  local wait = t.paced[fan_id] and too_soon(t, fan_id)
  if wait then return {'TOO_MANY_REQUESTS', wait} end
  local open_id, open = open_entry(t, fan)
  if open_id then
    answer_beginning(t, fan_id, field, body, open_id)
    return {'JOINED', open_id, open, t.seq, was}
  end
  for _, pool in ipairs(pools) do
    local most = get(t, 'items', t.record.pools[pool][P_ITEM])[I_MOST]
    if qty > most then return {'LIMIT_REACHED', most} end
  end
  for _, pool_id in ipairs(pools) do
    local pool, barred, line_first = t.record.pools[pool_id], may_press(t, pool_id)
    local units = math.min(qty, pool[P_FREE], units_allowed(t, fan, pool_id))
    if pool[P_CEILINGS] then units = select(2, cohort_for(t, pool, class_of(t, fan), units)) end
    if not barred and not line_first and units > 0 then
      if t.names then return begin_hold(t, c, fan, pool_id, pool, units, body) end
      return set_aside(t, c, fan, pool_id, pool, units, body)
    end
  end
  if not can_serve(t, fan, pools) then return {'LIMIT_REACHED', 0} end
  local full = t.names and network_full(t, fan_id)
  if full then return full end
  local id, entry = enter_line(t, fan_id, key, qty, pools, 'fan', chance)
  if t.names then count_network(t, id, fan_id) end
  answer_beginning(t, fan_id, field, body, id)
  return {'JOINED', id, entry, t.seq, was}
end
