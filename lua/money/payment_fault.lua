--[[
payment_fault -- what makes a provider's word about a payment none that could be written down, or nil. Its charge
is a name in the log and in the outbox, its amount a number that every reader of the log must read exactly.
--]]

local CARD_BYTES_MAX = 128

local function payment_fault(charge, amount, currency, card)
  if #charge == 0 or #charge > CHARGE_CHARS_MAX or string.find(charge, '[^' .. ID_LETTERS .. ']') then
    return 'charge'
  end
  if not amount or amount < 0 or amount > AMOUNT_MAX or amount % 1 ~= 0 then return 'amount' end
  if not string.find(currency, '^%u%u%u$') then return 'currency' end
  if #card > CARD_BYTES_MAX then return 'card' end
  return nil
end
