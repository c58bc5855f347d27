--[[
basketed -- the outcome of a basket: its number, rows {place of the want, hold, HoldRecord} of what was had, rows {place,
refusal} of what was not, the log's length, and the fan's seq from before the command. As msgpack where this batch has
written all of these holds, as `granted` does.
--]]
--#use packed packed_ids packed_list told_hold

local function basketed(t, number, had, missing, was)
  local dirty, count = t.dirty.holds, #had
  for i = 1, count do
    if not dirty[had[i][2]] then
      for j = 1, count do had[j][3] = told_hold(t, had[j][2]) end
      return {'BASKETED', number, had, missing, t.seq, was}
    end
  end
  local rows = {}
  for i = 1, count do
    local id = had[i][2]
    rows[i] = '\147' .. PART[had[i][1]] .. HEAD[#id] .. id .. packed(t, 'holds', id)
  end
  return '\150' .. PART['BASKETED'] .. PACK(number) .. packed_list(rows) .. (missing[1] and PACK(missing) or NONE)
    .. t.seq_packed .. PACK(was)
end
