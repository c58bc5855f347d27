--[[
count_carried -- so many units more, or fewer, of a pool are in a hold or an order: of one that came of a carried place
they count against the share. Its free units are counted already: if the last one was taken, the share is over.
--]]
--#use get

local function count_carried(t, pool, hold, qty)
  local share = pool[P_CARRIED]
  if not share or not share[1] then return end
  local entry = hold[H_ENTRY] ~= '' and get(t, 'entries', hold[H_ENTRY])
  if entry and (entry[E_CARRIED] or 0) > 0 then share[1] = share[1] + qty end
  if qty > 0 and pool[P_FREE] == 0 then pool[P_CARRIED] = {} end
end
