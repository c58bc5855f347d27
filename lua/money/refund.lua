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
RETURNS
  REFUNDED   hold, seq; also when it was refunded before; a repeat too
  KEY_REUSED   the key was used for another command
  BAD_MESSAGE  why: a field is not within its bounds
  AGAIN      more was due than one script settles; send it again
  FROZEN     the books do not add up
  NOT_FOUND  no such drop or order
COST  O(log n), n = holds and entries
--]]
--#use fault_in_refund begin catch_up conclude get refund_order given_back answer answered command_field

local clock_ms, id, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local fault = fault_in_refund(by, key, id)
if fault then return cmsgpack.pack({'BAD_MESSAGE', fault}) end

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
local field, body = command_field(t.key.answers, by, key), 'refund|' .. id
local made = answered(t, field, body)
if made == nil then return cmsgpack.pack({'KEY_REUSED'}) end
if made then return cmsgpack.pack({'REFUNDED', id, t.seq}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local order = get(t, 'orders', id)
if not order then return cmsgpack.pack({'NOT_FOUND'}) end

if not given_back(order) then
  refund_order(t, id, order, by, key)
end
answer(t, field, body, id)
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'REFUNDED', id, seq})
