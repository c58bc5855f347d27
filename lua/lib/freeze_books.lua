--[[
freeze_books -- the books of the drop do not add up: nothing that the script decided is written, and nothing goes
on until somebody has looked. `why` names what does not add up.
--]]
local function freeze_books(t, why)
  local seq, was = t.seq_was + 1, redis.call('HGET', t.key.drop, 'state')
  redis.call('HSET', t.key.drop, 'mark', t.now_text)
  redis.call('XADD', t.key.log, seq .. '-0', 'e',
    '{"e":"frozen","seq":' .. seq .. ',"at":' .. t.now_text .. ',"why":"' .. why .. '"}')
  redis.call('HSET', t.key.drop, 'state', 'frozen', 'was', was, 'froze', 'books', 'seq', seq,
    'at', t.now_text, 'mark', 0)
  redis.call('PUBLISH', t.key.nudge, 'frozen')
end
