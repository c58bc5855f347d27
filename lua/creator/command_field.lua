--[[
command_field -- where the answer to a creator's command stands. No key has the letter between the two, so that no
other creator's key, and no fan's, is answered by it. Older layouts put a colon there, which can be told apart only
where neither has one.
--]]

local function command_field(answers, by, key)
  if not string.find(by .. key, ':', 1, true) then
    local older = '@' .. by .. ':' .. key
    if redis.call('HGET', answers, older) then return older end
  end
  return '@' .. by .. '|' .. key
end
