--[[
stands_as -- the refusal that a creator's command gets in a state that it is not for.
--]]
--#use refuse_buying

local function stands_as(t)
  if t.state == 'live' then
    local last = redis.call('HMGET', t.key.drop, 'what', 'by')
    return {'STALE_REVISION', t.revision, t.state, last[1] or '', last[2] or ''}
  end
  return {refuse_buying(t)}
end
