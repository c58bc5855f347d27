--[[
seal_by_clock -- the time has come at which the list is sealed. Not while the clock is in doubt.
--]]
--#use in_doubt seal_list by_clock fields emit

local function seal_by_clock(t)
  if in_doubt(t) then return end
  t.zset.due.seal = false
  if t.state == 'lobby' then
    local count = seal_list(t)
    emit(t, 'sealed', nil, by_clock(t) .. ',' .. fields('entries', count))
  end
end
