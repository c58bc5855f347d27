--[[
new_payment -- the next payment of the drop, open, for these holds of a fan. Returns its id and its record; what it is
for and by when, the caller says.
--]]
--#use put

local function new_payment(t, fan_id, holds, way, amount, all, provider)
  t.payments = (t.payments or redis.call('HLEN', t.key.payments)) + 1
  local id = string.format('p%d', t.payments)
  local payment = PaymentRecord{
    fan = fan_id, holds = holds, way = way, amount = amount, currency = t.rules.currency, all = all,
    provider = provider, state = 'open', at_ms = t.now, deadline_ms = 0, looked = 0, leaving = 0, more = 0, judged = 0,
    charge = '', kept = 0, way_kept = 0, backs = 0,
  }
  put(t, 'payments', id, payment)
  return id, payment
end
