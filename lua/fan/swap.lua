--[[
swap -- {verb, fan, key, hold, pool}: a press for as many units of another pool that gives those of a hold for them, which
stays what it is in all else. The units given up go to their line in the same script. An offer is claimed, not swapped,
and what is being paid for stays as it is.
--]]
--#use get put fan_of own_hold answered answer_beginning may_press too_soon not_eligible still_held ended_as unclaimed
--#use units_of_swap count_cohort count_carried enter_cohort uncall emit refresh_readiness granted

-- Why these units cannot be given for others at all, or nil.
local function refusal_of(t, fan, id, record, pool)
  if not record or not pool then return {'NOT_FOUND'} end
  if not still_held(record) then return {'HOLD_EXPIRED', ended_as(t, id, record)} end
  if unclaimed(record) then return {'NOT_FOUND'} end
  if record[H_STATE] == 'paying' then return {'PAYING_ALREADY', record[H_PAYMENT] or ''} end
end

-- Why nobody may begin anything now, or this fan, or nil.
local function barred(t, fan_id, fan)
  local refusal = may_press(t)
  if refusal then return {refusal} end
  local early = t.rules.cohorts and not_eligible(t, fan)
  if early then return early end
  local wait = t.paced[fan_id] and too_soon(t, fan_id)
  return wait and {'TOO_MANY_REQUESTS', wait}
end

-- The units of a hold are free again, and others are not. Returns what tells the cohort that those count against.
local function move_over(t, fan, id, hold, pool_id)
  local was, is, qty = t.record.pools[hold[H_POOL]], t.record.pools[pool_id], hold[H_QTY]
  was[P_HELD], was[P_FREE] = was[P_HELD] - qty, was[P_FREE] + qty
  is[P_HELD], is[P_FREE] = is[P_HELD] + qty, is[P_FREE] - qty
  if was[P_COUNTED] then
    count_cohort(t, was, hold[H_COHORT], -qty)
    count_carried(t, was, hold, -qty)
  end
  local entry = hold[H_ENTRY] ~= '' and get(t, 'entries', hold[H_ENTRY])
  if entry and entry[E_STATE] == 'offered' and entry[E_HOLD] == id then
    uncall(t, entry, hold)
    put(t, 'entries', hold[H_ENTRY], entry)
  end
  put(t, 'pools', hold[H_POOL], was)
  put(t, 'pools', pool_id, is)
  hold[H_POOL] = pool_id
  return is[P_CEILINGS] and enter_cohort(t, is, fan, hold, qty) or ''
end

local function swap(t, c)
  local fan_id, key, id, pool_id, field = c[2], c[3], c[4], c[5], c[7]
  local body = 'swap|' .. id .. '|' .. pool_id
  local made = answered(t, field, body)
  if made == nil then return {'KEY_REUSED'} end
  local fan = fan_of(t, fan_id)
  local was = fan[F_SEQ]
  if made and get(t, 'holds', made) then return granted(t, 'SWAPPED', made, was) end

  local record, pool = own_hold(t, fan_id, id), t.record.pools[pool_id]
  local refusal = refusal_of(t, fan, id, record, pool)
  if refusal then return refusal end
  if record[H_POOL] == pool_id then return granted(t, 'SWAPPED', id, was) end
  refusal = barred(t, fan_id, fan)
  if refusal then return refusal end
  local price = get(t, 'items', pool[P_ITEM])[I_PRICE]
  if price ~= record[H_PRICE] then return {'OTHER_PRICE', price} end
  refusal = units_of_swap(t, fan, record, pool_id, pool)
  if refusal then return refusal end

  local before = record[H_POOL]
  local of_cohort = move_over(t, fan, id, record, pool_id)
  put(t, 'holds', id, record)
  answer_beginning(t, fan_id, field, body, id)
  emit(t, 'swapped', fan_id, '"key":"' .. key .. '","hold":"' .. id .. '","pool":"' .. before .. '","to":"' .. pool_id
    .. '","qty":' .. record[H_QTY] .. of_cohort)
  if fan[F_ENTRIES][1] then refresh_readiness(t, fan_id, true) end
  return granted(t, 'SWAPPED', id, was)
end
