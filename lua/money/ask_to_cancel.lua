--[[
ask_to_cancel -- a duty about a payment that was begun: its provider is to take no money for it any more. While it is
open that is a question: whoever says that it is cancelled says that nobody paid. Money may be on its way until the
provider has said so.
--]]

local function ask_to_cancel(t, id, payment)
  t.outbox['cancel:' .. id] = DutyRecord{
    kind = 'cancel', hold = payment[M_HOLDS][1], charge = '', amount = payment[M_AMOUNT], at_ms = t.now,
    currency = '', payment = id,
  }
end
