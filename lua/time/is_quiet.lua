--[[
is_quiet -- are these quiet hours? They are while the moment at which the line calls again is planned.
--]]
local function is_quiet(t)
  if t.quiet == nil then t.quiet = redis.call('ZSCORE', t.key.due, 'calls') ~= false end
  return t.quiet
end
