--[[
in_first_round -- how many offers the first round has come to, or false where there is none: it begins when a list that chance
ordered opens the drop, and is over when the line was called for all that was free then. Nothing is decided meanwhile.
--]]
local function in_first_round(t)
  if not t.rules.first_offer_ms then return false end
  if t.first == nil then t.first = tonumber(redis.call('HGET', t.key.drop, 'first') or '') or false end
  return t.first
end
