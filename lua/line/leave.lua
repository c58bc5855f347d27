--[[
leave -- {verb, fan, key, entry}: out of the line for good; an offer that was not claimed goes back. A
claimed hold stays the fan's.
--]]
--#use get fan_of still_in_line may_go_on end_hold finish_entry owner_of

local function leave(t, c)
  local fan_id, key, id = c[2], c[3], c[4]
  local entry = get(t, 'entries', id)
  if not entry or entry[E_FAN] ~= fan_id and owner_of(t, entry[E_FAN]) ~= fan_id then return {'NOT_FOUND'} end
  local was = fan_of(t, fan_id)[F_SEQ]
  if entry[E_STATE] == 'left' then return {'LEFT', id, entry, t.seq, was} end
  if not still_in_line(entry) then return {'NOT_FOUND'} end
  local refusal = may_go_on(t)
  if refusal then return {refusal} end
  if entry[E_STATE] == 'offered' then
    local hold_id = entry[E_HOLD]
    local record = get(t, 'holds', hold_id)
    if record[H_CLAIMED] == 0 then end_hold(t, hold_id, record, 'released', key, true) end
  end
  finish_entry(t, id, entry, 'left', ',"key":"' .. key .. '"')
  return {'LEFT', id, entry, t.seq, was}
end
