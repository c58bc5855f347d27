--[[
release -- {verb, fan, key, hold}: the fan gives a hold or an offer back; its units go to the line.
--]]
--#use own_hold fan_of still_held ended_as may_go_on end_hold granted

local function release(t, c)
  local fan_id, key, id = c[2], c[3], c[4]
  local record = own_hold(t, fan_id, id)
  if not record then return {'NOT_FOUND'} end
  local was = fan_of(t, fan_id)[F_SEQ]
  if record[H_STATE] == 'released' then return granted(t, 'RELEASED', id, was) end
  local refusal = may_go_on(t)
  if refusal then return {refusal} end
  if not still_held(record) then return {'HOLD_EXPIRED', ended_as(t, id, record)} end
  end_hold(t, id, record, 'released', key)
  return granted(t, 'RELEASED', id, was)
end
