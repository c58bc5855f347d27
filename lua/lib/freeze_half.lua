--[[
freeze_half -- a commit ended half-way: its mark, the time of that commit, still stands. The log was written first,
so it is the measure of what happened; nothing goes on until somebody has looked. Only the state changes,
which needs no event. A drop that is over stays so: it sells nothing, and its money must go back.
--]]
local function freeze_half(key, state, mark)
  local last = redis.call('XREVRANGE', key.log, '+', '-', 'COUNT', 1)[1]
  if last then
    local texts = last[2]
    redis.call('HSET', key.drop, 'seq', string.match(last[1], '^%d+'),
      'at', string.match(texts[#texts], '"at":(%d+)'))
  end
  redis.call('HSET', key.wake, 'now', mark)
  if state ~= 'frozen' then redis.call('HSET', key.drop, 'was', state, 'froze', 'half') end
  if state ~= 'settled' and state ~= 'cancelled' then
    redis.call('HSET', key.drop, 'state', 'frozen')
  end
  redis.call('HSET', key.drop, 'mark', 0)
  -- The server may not let us.
  redis.pcall('PUBLISH', key.nudge, 'frozen')
end
