--[[
owe_refund -- the money of an order that has ended goes back, where there is any. A capture that has not happened
yet is not asked for any more.
--]]

local function owe_refund(t, id, order)
  t.outbox['capture:' .. order[O_CHARGE]] = false
  if order[O_AMOUNT] > 0 then
    t.outbox['refund:' .. order[O_CHARGE]] = DutyRecord{
      kind = 'refund', hold = id, charge = order[O_CHARGE], amount = order[O_AMOUNT], at_ms = t.now,
      currency = '', payment = '',
    }
  end
end
