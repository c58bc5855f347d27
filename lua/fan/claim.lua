--[[
claim -- {verb, fan, key, hold}: the fan takes what the line offered.
--]]
--#use own_hold fan_of still_held ended_as may_go_on claim_offer granted

local function claim(t, c)
  local fan_id, key, id = c[2], c[3], c[4]
  local record = own_hold(t, fan_id, id)
  if not record or record[H_ORIGIN] ~= 'line' then return {'NOT_FOUND'} end
  local refusal = may_go_on(t)
  if refusal then return {refusal} end
  if not still_held(record) then return {'HOLD_EXPIRED', ended_as(t, id, record)} end
  local was = fan_of(t, fan_id)[F_SEQ]
  if record[H_CLAIMED] == 0 then claim_offer(t, id, record, key) end
  return granted(t, 'CLAIMED', id, was)
end
