--[[
uncall -- the call that gave an entry this hold sold nothing of the hold's pool: what a call of the base lane added there is
taken back, from the calls that come as well.
--]]
local ADDED = 2

local function uncall(t, entry, hold)
  local pool = t.record.pools[hold[H_POOL]]
  if entry[E_CALL] == ADDED then pool[P_LANE_COUNT] = pool[P_LANE_COUNT] - 1 end
  if entry[E_CALL] then entry[E_CALL] = 0 end
end
