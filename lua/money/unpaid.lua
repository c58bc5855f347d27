#!lua flags=allow-oom
--[[
unpaid -- the provider has cancelled a payment: nobody paid, and nobody can any more. Its holds whose deadline is over end
now; the others are their fan's to pay anew.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  payment    its id, or the hold's of what was begun before there were payments
RETURNS
  UNPAID        payment, seq
  HOLD_EXPIRED  state: it is over already
  AGAIN         more was due than one script settles; send it again
  FROZEN        the books do not add up
  NOT_FOUND     no such drop or payment
COST  O(h log n), h = its holds, n = holds and entries
--]]
--#use begin catch_up conclude emit payment_named standing_in close_payment end_hold

local clock_ms, payment_name = tonumber(ARGV[1]), ARGV[2]

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local id, payment, hold = payment_named(t, payment_name)
if not payment then
  return cmsgpack.pack(hold and {'HOLD_EXPIRED', hold[H_STATE]} or {'NOT_FOUND'})
end
if payment[M_STATE] ~= 'open' then
  -- It may have been told by name for the first time.
  if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
  return cmsgpack.pack({'HOLD_EXPIRED', payment[M_STATE]})
end

local standing = standing_in(t, id, payment)
emit(t, 'unpaid', payment[M_FAN], '"payment":"' .. id .. '"')
close_payment(t, id, payment, 'ended')
t.outbox['cancel:' .. id] = false
for _, row in ipairs(standing) do
  if row[2][H_DEADLINE_MS] <= t.now then end_hold(t, row[1], row[2], 'expired', '') end
end
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'UNPAID', id, seq})
