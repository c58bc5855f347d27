--[[
remove_filled -- each waiting entry of a fan in none of whose pools his orders alone leave room ends: nobody could
ever serve it.
--]]
--#use get can_serve finish_entry

local function remove_filled(t, fan)
  local entries = {}
  for i, id in ipairs(fan[F_ENTRIES]) do entries[i] = id end
  for _, id in ipairs(entries) do
    local entry = get(t, 'entries', id)
    if entry[E_STATE] == 'waiting' and not can_serve(t, fan, entry[E_POOLS]) then
      finish_entry(t, id, entry, 'removed', ',"why":"limit"')
    end
  end
end
