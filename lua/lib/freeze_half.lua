--[[
freeze_half -- a commit ended half-way: its mark still stands. The log was written first, so it is the measure of
what happened; nothing goes on until somebody has looked. Only the state changes, which needs no event. A
cancelled drop stays so: it sells nothing, and its money must go back.
--]]
local function freeze_half(key, state)
  local last = redis.call('XREVRANGE', key.log, '+', '-', 'COUNT', 1)[1]
  local texts = last[2]
  if state ~= 'frozen' and state ~= 'cancelled' then
    redis.call('HSET', key.drop, 'state', 'frozen', 'was', state, 'froze', 'half')
  end
  redis.call('HSET', key.drop, 'mark', 0, 'seq', string.match(last[1], '^%d+'),
    'at', string.match(texts[#texts], '"at":(%d+)'))
  redis.call('PUBLISH', key.nudge, 'frozen')
end
