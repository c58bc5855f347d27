--[[
refuse_in_state -- the refusal that a creator's command gets in a state that it is not for. `goal`: the states
that the command leads to; a drop that is in one of them is so already.
--]]
--#use word_of_state

local function refuse_in_state(t, goal)
  if goal[t.state] then
    local last = redis.call('HMGET', t.key.drop, 'what', 'by')
    return {'ALREADY', t.state, last[1] or '', last[2] or ''}
  end
  return {word_of_state(t)}
end
