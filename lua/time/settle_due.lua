--[[
settle_due -- decide everything whose time has come, oldest first, at most 64 things. Returns true when
more is due: then the script decides nothing else and answers AGAIN.
--]]
--#use deadline_over cooling_over open_by_clock close_by_clock unwind_cancelled change_state emit
--#use turn_calls lobby_by_clock seal_by_clock widen_by_clock

local DUE_MAX = 64
-- What an entry of `due` is, by what stands before its id; those of the drop itself have none.
local KINDS = {
  ['h:'] = deadline_over, ['e:'] = cooling_over, open = open_by_clock, close = close_by_clock,
  calls = turn_calls, quiet = turn_calls, lobby = lobby_by_clock, seal = seal_by_clock,
  widen = widen_by_clock,
}

local function settle_due(t)
  if t.state == 'frozen' then return false end
  if t.state == 'cancelled' then return unwind_cancelled(t, DUE_MAX) end
  local rows = redis.call('ZRANGEBYSCORE', t.key.due, '-inf', t.now, 'LIMIT', 0, DUE_MAX + 1)
  for i = 1, math.min(#rows, DUE_MAX) do
    local kind, id = string.match(rows[i], '^(%l:)(.*)$')
    KINDS[kind or rows[i]](t, id)
  end
  if #rows > DUE_MAX then return true end
  if t.state == 'closing' then
    for _, pool in pairs(t.record.pools) do
      if pool[P_HELD] > 0 then return false end
    end
    change_state(t, 'settled')
    emit(t, 'settled', nil, '')
  end
  return false
end
