--[[
to_carry -- are there places of an earlier drop that are still to be carried over? Then this one does not open, nor does
its list: who waited longest stands first. Returns how many of their list were looked at, and of how many, nil while
that is not known.
--]]
local function to_carry(t)
  if not t.rules.carried then return nil end
  local d = redis.call('HMGET', t.key.drop, 'looked', 'of')
  local looked, of = tonumber(d[1]), tonumber(d[2] or '')
  if of and looked == of then return nil end
  return looked, of
end
