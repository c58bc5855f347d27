--[[
fault_in_order -- the id among these that cannot have the next arrival, or nil: each is of the sealed list and has none, but for
those that were told before, `placed` being how many have one, which have just these.
--]]
--#use get prefetch_rows

local function fault_in_order(t, first, ids, placed)
  prefetch_rows(t, 'entries', ids)
  local seen = {}
  for i, id in ipairs(ids) do
    local entry, n = get(t, 'entries', id), first + i - 1
    local right = entry and (entry[E_TICKETS] or 0) > 0 and not seen[id]
    if not right or entry[E_N] ~= (n <= placed and n or 0) then return id end
    seen[id] = true
  end
end
