--[[
unready -- a fan's entries leave the lines of their class, for whoever changes it; `refresh_readiness` puts them into
those of the new one.
--]]
--#use get put mark_in_line

local function unready(t, fan)
  if not t.rules.cohorts then return end
  for _, id in ipairs(fan[F_ENTRIES]) do
    local entry = get(t, 'entries', id)
    for i in ipairs(entry[E_POOLS]) do
      if entry[E_READY][i] == 1 then
        mark_in_line(t, 'ready', id, entry, i, false)
        put(t, 'entries', id, entry)
      end
    end
  end
end
