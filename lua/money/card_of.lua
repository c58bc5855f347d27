--[[
card_of -- what a drop calls the card of a payment: a hash with the key of its own that its networks are called by too,
`key` where it has none yet. '' where nobody says which card it is, where cards are not counted, and in a drop that is
over: its key is deleted, and nothing is bought there any more.
--]]

local function card_of(t, card, key)
  if card == '' or t.rules.cards ~= 1 or t.state == 'settled' or t.state == 'cancelled' then return '' end
  local known = redis.call('HGET', t.key.networks, 'key')
  t.cards = known and {} or {key = key}
  return 'k' .. string.sub(redis.sha1hex((known or key) .. '|' .. card), 1, 15)
end
