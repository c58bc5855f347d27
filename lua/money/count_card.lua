--[[
count_card -- so many units were bought by this card, or given back where `qty` is below 0. Beside the order stands by
which one, while it has units (`left`): nobody else has to know.
--]]

local function count_card(t, order, card, qty, left)
  t.cards = t.cards or {}
  t.cards[card] = (t.cards[card] or tonumber(redis.call('HGET', t.key.networks, card)) or 0) + qty
  t.cards['o:' .. order] = left > 0 and card or false
  if t.cards[card] == 0 then t.cards[card] = false end
end
