--[[
extend -- {verb, fan, key, hold}: more time, once a hold. An offer is claimed, not extended. A hold whose payment is
asked about stands to its hard stop and no longer: it answers as one that was extended before.
--]]
--#use get own_hold fan_of still_held ended_as may_go_on put emit granted standing_in

-- A payment tells the earliest deadline of its holds.
local function keep_earliest(t, id)
  local payment = id ~= '' and get(t, 'payments', id)
  if not payment then return end
  local first
  for _, row in ipairs(standing_in(t, id, payment)) do
    first = math.min(first or row[2][H_DEADLINE_MS], row[2][H_DEADLINE_MS])
  end
  payment[M_DEADLINE_MS] = first
  put(t, 'payments', id, payment)
end

local function extend(t, c)
  local fan_id, key, id = c[2], c[3], c[4]
  local record = own_hold(t, fan_id, id)
  if not record then return {'NOT_FOUND'} end
  local refusal = may_go_on(t)
  if refusal then return {refusal} end
  if not still_held(record) then return {'HOLD_EXPIRED', ended_as(t, id, record)} end
  if record[H_ORIGIN] == 'line' and record[H_CLAIMED] == 0 then return {'NOT_FOUND'} end
  local was = fan_of(t, fan_id)[F_SEQ]
  if record[H_EXTENDED] == 0 and record[H_LOOKED] == 0 then
    record[H_EXTENDED] = 1
    record[H_DEADLINE_MS] = record[H_DEADLINE_MS] + t.rules.extend_ms
    put(t, 'holds', id, record)
    t.zset.due['h:' .. id] = record[H_DEADLINE_MS]
    if record[H_STATE] == 'paying' then keep_earliest(t, record[H_PAYMENT] or '') end
    emit(t, 'extended', fan_id, '"key":"' .. key .. '","hold":"' .. id .. '","deadline":'
      .. record[H_DEADLINE_MS] .. ',"why":"fan"')
  end
  return granted(t, 'EXTENDED', id, was)
end
