--[[
join -- {verb, fan, key, qty, pools}: stand in line for any of the pools, the liked best first. A fan has
one open entry of this kind; joining again answers it.
--]]
--#use get fan_of answered answer_beginning may_press too_soon enter_line

local function join(t, c)
  local fan_id, key, qty, pools, field = c[2], c[3], c[4], c[5], c[7]
  local body = 'join|' .. qty .. '|' .. table.concat(pools, ',')
  local made = answered(t, field, body)
  if made == nil then return {'KEY_REUSED'} end
  local fan = fan_of(t, fan_id)
  local was = fan[F_SEQ]
  if made then return {'JOINED', made, get(t, 'entries', made), t.seq, was} end

  for _, pool in ipairs(pools) do
    if not t.record.pools[pool] then return {'NOT_FOUND'} end
  end
  local refusal = may_press(t)
  if refusal and refusal ~= 'PAUSED' then return {refusal} end
  local wait = t.paced[fan_id] and too_soon(t, fan_id)
  if wait then return {'TOO_MANY_REQUESTS', wait} end
  for _, id in ipairs(fan[F_ENTRIES]) do
    local entry = get(t, 'entries', id)
    if entry[E_LANE] == 0 then
      answer_beginning(t, fan_id, field, body, id)
      return {'JOINED', id, entry, t.seq, was}
    end
  end
  for _, pool in ipairs(pools) do
    local most = get(t, 'items', t.record.pools[pool][P_ITEM])[I_MOST]
    if qty > most then return {'LIMIT_REACHED', most} end
  end
  local id, entry = enter_line(t, fan_id, key, qty, pools, 0, 0, 'fan')
  answer_beginning(t, fan_id, field, body, id)
  return {'JOINED', id, entry, t.seq, was}
end
