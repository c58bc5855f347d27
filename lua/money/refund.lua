#!lua flags=allow-oom
--[[
refund -- the creator gives an order's money back: its units go to the line with their serials. It names its order and
needs no revision.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  order      an order has the id of its hold
  by         who commands
  key        idempotency key
  why        a reason for its fan, or empty
RETURNS
  REFUNDED   hold, seq, state of the order (refund_pending, refunded, refund_failed), why: the reason that its fan
             reads; also when it ended before, for its first reason then; a repeat too
  KEY_REUSED   the key was used for another command
  BAD_MESSAGE  why: a field is not within its bounds
  AGAIN      more was due than one script settles; send it again
  FROZEN     the books do not add up
  NOT_FOUND  no such drop or order
COST  O(log n), n = holds and entries
--]]
--#use fault_in_refund begin_command conclude get refund_order given_back answer answered command_field

local clock_ms, id, by, key, why = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local t, early = begin_command(fault_in_refund(by, key, id, why), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end
local field, body = command_field(t.key.answers, by, key), 'refund|' .. id
if why ~= '' then body = body .. '|' .. redis.sha1hex(why) end
local made = answered(t, field, body)
if made == nil then return cmsgpack.pack({'KEY_REUSED'}) end
local order = get(t, 'orders', id)
if made and order then return cmsgpack.pack({'REFUNDED', id, t.seq, order[O_STATE], order[O_WHY]}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
if not order then return cmsgpack.pack({'NOT_FOUND'}) end

if not given_back(order) then
  refund_order(t, id, order, by, key, why)
end
answer(t, field, body, id)
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'REFUNDED', id, seq, order[O_STATE], order[O_WHY]})
