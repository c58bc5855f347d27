#!lua flags=allow-oom
--[[
charged_back -- the provider took money of a payment back for its fan, for good: its orders that stand are worth nothing,
and their units stay sold. It names its payment and needs no revision.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  payment
  amount     what was taken, minor units
  by         who says so
  key        idempotency key
RETURNS
  CHARGED_BACK  payment, seq; a repeat too
  KEY_REUSED    the key was used for another command
  BAD_MESSAGE   why: a field is not within its bounds
  AGAIN         more was due than one script settles; send it again
  FROZEN        the books do not add up
  NOT_FOUND     no such drop, or no such payment that bought something
COST  O(log n + s), n = holds and entries, s = orders of the fan
--]]
--#use fault_in_charged_back begin_command conclude get put owner_of emit fields answer answered command_field
--#use standing_orders

local clock_ms, id, amount, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local t, early = begin_command(fault_in_charged_back(by, key, id, amount), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end
local field, body = command_field(t.key.answers, by, key), 'charged_back|' .. id .. '|' .. amount
local made = answered(t, field, body)
if made == nil then return cmsgpack.pack({'KEY_REUSED'}) end
if made then return cmsgpack.pack({'CHARGED_BACK', id, t.seq}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local payment = get(t, 'payments', id)
if not payment or payment[M_STATE] ~= 'paid' then return cmsgpack.pack({'NOT_FOUND'}) end

for _, row in ipairs(standing_orders(t, id, payment)) do
  local order_id, order = row[1], row[2]
  order[O_AMOUNT], order[O_STATE] = 0, 'charged_back'
  put(t, 'orders', order_id, order)
end
payment[M_KEPT], payment[M_WAY_KEPT] = 0, 0
put(t, 'payments', id, payment)
-- What was taken back needs no capture any more.
t.outbox['capture:' .. id] = false
answer(t, field, body, id)
emit(t, 'charged_back', owner_of(t, payment[M_FAN]), fields('payment', id, 'amount', tonumber(amount), 'by', by, 'key', key))
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'CHARGED_BACK', id, seq})
