--[[
pay -- {verb, fan, key, hold}: begin paying. The first press gives time to finish it, within bounds that
a fan cannot stretch by pressing again.
--]]
--#use own_hold fan_of still_held ended_as may_go_on claim_offer put emit granted

local function pay(t, c)
  local fan_id, key, id = c[2], c[3], c[4]
  local record = own_hold(t, fan_id, id)
  if not record then return {'NOT_FOUND'} end
  local refusal = may_go_on(t)
  if refusal then return {refusal} end
  if not still_held(record) then return {'HOLD_EXPIRED', ended_as(t, id, record)} end
  local was = fan_of(t, fan_id)[F_SEQ]
  if record[H_BEGAN] == 0 then
    if record[H_ORIGIN] == 'line' and record[H_CLAIMED] == 0 then claim_offer(t, id, record, key) end
    local rules = t.rules
    record[H_BEGAN], record[H_STATE] = 1, 'paying'
    record[H_DEADLINE_MS] = math.max(record[H_DEADLINE_MS],
      math.min(t.now + rules.pay_ms, record[H_START_MS] + 2 * rules.hold_ms + rules.pay_ms))
    put(t, 'holds', id, record)
    t.zset.due['h:' .. id] = record[H_DEADLINE_MS]
    emit(t, 'paying', fan_id, '"key":"' .. key .. '","hold":"' .. id .. '","deadline":'
      .. record[H_DEADLINE_MS])
  end
  return granted(t, 'PAYING', id, was)
end
