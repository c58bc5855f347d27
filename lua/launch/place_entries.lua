--[[
place_entries -- the next part of a sealed list gets its arrivals, from `first` on, and stands in its lines. `ids`: looked at by
`fault_in_order`. Before the opening nobody holds anything, so whoever waits has room and is ready. Each fan is told.
--]]
--#use get put fan_of mark_in_line rank_of tell_boost prefetch_rows

local function place_entries(t, first, ids)
  local fans = {}
  for i, id in ipairs(ids) do
    fans[i] = get(t, 'entries', id)[E_FAN]
  end
  prefetch_rows(t, 'fans', fans)
  for i, id in ipairs(ids) do
    local entry = get(t, 'entries', id)
    entry[E_N] = first + i - 1
    if entry[E_STATE] == 'waiting' then
      for place in ipairs(entry[E_POOLS]) do
        mark_in_line(t, 'places', id, entry, place, true)
        mark_in_line(t, 'ready', id, entry, place, true)
      end
      tell_boost(t, entry, 0, rank_of(entry))
    end
    put(t, 'entries', id, entry)
    fan_of(t, entry[E_FAN])[F_SEQ], t.mail[entry[E_FAN]] = t.seq, t.seq_packed
  end
end
