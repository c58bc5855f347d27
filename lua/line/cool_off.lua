--[[
cool_off -- a frozen drop is called off: whoever was done cooling where its time stood is not cooling any more,
whether the script that was the last one had come to that or not. Returns where the time stood.
--]]
--#use cooling_over get

local function cool_off(t)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', t.key.due, '-inf', t.last)) do
    local id = string.match(member, '^e:(.*)$')
    if id and get(t, 'entries', id) then cooling_over(t, id) end
  end
  return t.last
end
