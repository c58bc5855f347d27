--[[
lapse -- an entry's offer, claimed or not, came back unsold. The first time the entry keeps its places, waits
again and cools for the manifest's `cool_seconds`; the second time it is dormant. A call of the base lane that
sold nothing is not counted: what it added is taken back, from the calls that come as well. `leaving`: its fan gives up the place too, or has his unit by another hold, and the caller ends the entry.
--]]
--#use put emit emit_ended finish_entry mark_in_line uncall

local LAPSES_MAX = 2

local function lapse(t, id, entry, hold_id, hold, key, leaving)
  entry[E_LAPSES], entry[E_HOLD] = entry[E_LAPSES] + 1, ''
  uncall(t, entry, hold)
  local again, cool = entry[E_LAPSES] < LAPSES_MAX and not leaving, 0
  -- Drops of before layout 3 may have no time to cool: the unit goes to the next all the same.
  if again then cool = t.now + math.max(t.rules.cool_ms, 1) end

  emit_ended(t, hold_id, hold, key, cool)
  if again then
    for i in ipairs(entry[E_POOLS]) do mark_in_line(t, 'buying', id, entry, i, false) end
    entry[E_STATE], entry[E_COOL_MS] = 'waiting', cool
    t.zset.due['e:' .. id] = cool
    put(t, 'entries', id, entry)
    if hold[H_CLAIMED] == 1 then
      emit(t, 'cooled', hold[H_FAN], '"entry":"' .. id .. '","cool":' .. cool)
    end
  elseif not leaving then
    finish_entry(t, id, entry, 'dormant')
  end
end
