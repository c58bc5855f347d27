--[[
hold -- a press: {verb, fan, key, pool, qty, fewer}. Units that are free are set aside for the fan,
unless somebody in the line is ready for that pool.
--]]
--#use fields get put fan_of room ready_in answered answer held_still refuse_buying emit refresh

local function hold(t, c)
  local fan_id, key, pool_id, qty, fewer = c[2], c[3], c[4], c[5], c[6] == 1
  local body = string.format('hold|%s|%d|%d', pool_id, qty, c[6])
  local made = answered(t, fan_id, key, body)
  if made == nil then return {'KEY_REUSED'} end
  local fan = fan_of(t, fan_id)
  if made then return {'HELD', made, get(t, 'holds', made), t.seq, fan[F_SEQ]} end

  local pool = t.record.pools[pool_id]
  if not pool then return {'NOT_FOUND'} end
  local refusal = refuse_buying(t)
  if refusal then return {refusal} end
  for _, id in ipairs(fan[F_HOLDS]) do
    local other = get(t, 'holds', id)
    if other[H_POOL] == pool_id and other[H_QTY] == qty and held_still(other)
      and (other[H_ORIGIN] == 'press' or other[H_CLAIMED] == 1) then
      answer(t, fan_id, key, body, id)
      return {'HELD', id, other, t.seq, fan[F_SEQ]}
    end
  end
  local item = get(t, 'items', pool[P_ITEM])
  local left = room(t, fan, pool_id)
  if qty > item[I_MOST] then return {'LIMIT_REACHED', math.min(left, item[I_MOST])} end
  if left < qty then
    if not fewer or left == 0 then return {'LIMIT_REACHED', left} end
    qty = left
  end
  if ready_in(t, pool_id) > 0 then return {'ALL_HELD', 0, pool[P_HELD]} end
  if pool[P_FREE] < qty then
    if pool[P_FREE] == 0 and pool[P_HELD] == 0 then return {'SOLD_OUT'} end
    if not fewer or pool[P_FREE] == 0 then return {'ALL_HELD', pool[P_FREE], pool[P_HELD]} end
    qty = pool[P_FREE]
  end

  local was = fan[F_SEQ]
  t.holds = t.holds + 1
  local id, deadline = string.format('h%d', t.holds), t.now + t.rules.hold_ms
  pool[P_FREE], pool[P_HELD] = pool[P_FREE] - qty, pool[P_HELD] + qty
  put(t, 'pools', pool_id, pool)
  local record = {fan_id, pool_id, qty, item[I_PRICE], 'press', 'active', t.now, deadline, '',
    0, 0, 0, 0, key}
  put(t, 'holds', id, record)
  t.zset.due['h:' .. id] = deadline
  fan[F_USED] = fan[F_USED] + qty
  fan[F_HOLDS][#fan[F_HOLDS] + 1] = id
  answer(t, fan_id, key, body, id)
  emit(t, 'held', fan_id, string.format(
    '"key":"%s","hold":"%s","pool":"%s","qty":%d,"price":%d,"deadline":%d',
    key, id, pool_id, qty, item[I_PRICE], deadline))
  if #fan[F_ENTRIES] > 0 then refresh(t, fan_id, false) end
  return {'HELD', id, record, t.seq, was}
end
