#!lua flags=allow-oom
--[[
more_time -- the maker gives more time for an open payment by hand, as long again as it had, once. It names its payment and
needs no revision.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  payment
  by         who commands
  key        idempotency key
RETURNS
  MORE_TIME     payment, seq, deadline_ms by the drop's own time; a repeat too
  ALREADY       state: it was given more time before
  HOLD_EXPIRED  state: it is over; or open, and it is being cancelled
  KEY_REUSED    the key was used for another command
  BAD_MESSAGE   why: a field is not within its bounds
  AGAIN         more was due than one script settles; send it again
  FROZEN        the books do not add up
  NOT_FOUND     no such drop, or no such payment by hand
COST  O(h log n), h = its holds, n = holds and entries
--]]
--#use fault_in_more_time begin_command conclude get put emit fields answer answered command_field by_hand standing_in

local clock_ms, id, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local t, early = begin_command(fault_in_more_time(by, key, id), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end
local field, body = command_field(t.key.answers, by, key), 'more_time|' .. id
local made = answered(t, field, body)
if made == nil then return cmsgpack.pack({'KEY_REUSED'}) end
local payment = get(t, 'payments', id)
if made and payment then return cmsgpack.pack({'MORE_TIME', id, t.seq, payment[M_DEADLINE_MS]}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
if not payment or not by_hand(payment[M_PROVIDER]) then return cmsgpack.pack({'NOT_FOUND'}) end
if payment[M_STATE] ~= 'open' or payment[M_LOOKED] > 0 then return cmsgpack.pack({'HOLD_EXPIRED', payment[M_STATE]}) end
if payment[M_MORE] == 1 then return cmsgpack.pack({'ALREADY', payment[M_STATE]}) end

local deadline = payment[M_DEADLINE_MS] + t.rules.hand_ms
for _, row in ipairs(standing_in(t, id, payment)) do
  row[2][H_DEADLINE_MS] = deadline
  put(t, 'holds', row[1], row[2])
  t.zset.due['h:' .. row[1]] = deadline
end
payment[M_DEADLINE_MS], payment[M_MORE] = deadline, 1
put(t, 'payments', id, payment)
answer(t, field, body, id)
emit(t, 'more_time', payment[M_FAN], fields('payment', id, 'deadline', deadline, 'by', by, 'key', key))
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'MORE_TIME', id, seq, deadline})
