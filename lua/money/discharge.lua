#!lua flags=allow-oom
--[[
discharge -- a duty was done outside and is ticked off.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  duty       its id, <kind>:<charge or hold>
  result     done, or failed: a capture that the provider refuses for good
RETURNS
  DISCHARGED  duty, seq
  AGAIN       more was due than one script settles; send it again
  FROZEN      the books do not add up
  NOT_FOUND   no such drop or duty: somebody ticked it off before, it cannot be read, or it asks about a hold that
              stands, which only its sale or its end answers
COST  O(log n), n = holds and entries
--]]
--#use begin catch_up conclude get put emit duty_of still_held

local clock_ms, id, result = tonumber(ARGV[1]), ARGV[2], ARGV[3]

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local duty = duty_of(t, id)
local hold = duty and duty[D_HOLD] and get(t, 'holds', duty[D_HOLD])
if not hold then return cmsgpack.pack({'NOT_FOUND'}) end
-- Who asked while the hold stood does not answer the question that its end has put since.
if duty[D_KIND] == 'lookup' and still_held(hold) then return cmsgpack.pack({'NOT_FOUND'}) end

local kind, hold_id, charge = duty[D_KIND], duty[D_HOLD], duty[D_CHARGE]
local order = get(t, 'orders', hold_id)
if order and order[O_CHARGE] == charge then
  if kind == 'capture' and order[O_STATE] == 'capture_pending' then
    order[O_STATE] = result == 'done' and 'done' or 'capture_failed'
    put(t, 'orders', hold_id, order)
  elseif kind == 'refund' and order[O_STATE] == 'refund_pending' then
    order[O_STATE] = 'refunded'
    put(t, 'orders', hold_id, order)
  end
end
t.outbox[id] = false
emit(t, 'discharged', hold[H_FAN], '"duty":' .. cjson.encode(id) .. ',"kind":"' .. kind .. '","hold":"'
  .. hold_id .. '","charge":' .. cjson.encode(charge) .. ',"amount":' .. duty[D_AMOUNT] .. ',"result":"'
  .. result .. '"')
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'DISCHARGED', id, seq})
