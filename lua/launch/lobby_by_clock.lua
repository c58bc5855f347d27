--[[
lobby_by_clock -- the time has come at which the list opens. Not while the clock is in doubt, nor while places are to be
carried over.
--]]
--#use in_doubt to_carry begin_lobby by_clock fields emit

local function lobby_by_clock(t)
  if in_doubt(t) or to_carry(t) then return end
  t.zset.due.lobby = false
  if t.state == 'scheduled' then
    local seals = begin_lobby(t)
    emit(t, 'lobby_opened', nil, by_clock(t) .. ',' .. fields('seals', seals))
  end
end
