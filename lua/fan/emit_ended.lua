--[[
emit_ended -- the event of a hold that has ended unsold, in the state that it ended with. `key`: the fan's, ''
when the clock or the creator ended it. `cool`: until when its entry cools, of an offer that nobody claimed.
--]]
--#use emit digits unclaimed

local function emit_ended(t, id, hold, key, cool)
  local state, fan_id = hold[H_STATE], hold[H_FAN]
  local units = '"hold":"' .. id .. '","pool":"' .. hold[H_POOL] .. '","qty":' .. NUMBER[hold[H_QTY]]
  if state == 'cancelled' then
    emit(t, 'released', fan_id, '"key":"",' .. units .. ',"by":"creator"')
  elseif unclaimed(hold) then
    local name = state == 'expired' and 'lapsed' or 'declined'
    local tail = name == 'declined' and ',"key":"' .. key .. '"' or ''
    emit(t, name, fan_id, '"entry":"' .. hold[H_ENTRY] .. '",' .. units .. ',"cool":' .. cool .. tail)
  elseif state == 'released' then
    emit(t, 'released', fan_id, '"key":"' .. key .. '",' .. units .. ',"by":"fan"')
  else
    emit(t, 'expired', fan_id, units)
  end
end
