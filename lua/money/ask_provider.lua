--[[
ask_provider -- a duty about a payment that was begun. While its hold stands: was it paid? Once it has ended, also
by its own sale: let nobody pay it any more. Money may be on its way until the provider has said so.
--]]

local function ask_provider(t, id, hold)
  t.outbox['lookup:' .. id] = DutyRecord{
    kind = 'lookup', hold = id, charge = '', amount = hold[H_QTY] * hold[H_PRICE], at_ms = t.now,
    currency = '', payment = '',
  }
end
