--[[
card_full -- would so many units more by this card be more than one person may have? What was refunded counts no more.
--]]

local function card_full(t, card, qty)
  if card == '' then return false end
  return (tonumber(redis.call('HGET', t.key.networks, card)) or 0) + qty > t.rules.limit
end
