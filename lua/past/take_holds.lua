#!lua flags=allow-oom
--[[
take_holds -- holds that came to nothing and ended a day ago are taken out, a part of all holds at a time. Kept are
those that are or were in a payment, with an order or a charge, and so with a duty, and the one of each fan that ended last.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  charges    msgpack: every charge that bought nothing
  others     how many bought something
  cursor     0 at first, then as answered
RETURNS
  TAKEN_OUT      how many; cursor (0: that was the last part)
  OTHER_CHARGES  there are others than those: nothing was taken out
  AGAIN          more was due than one script settles; send it again
  FROZEN         somebody has to look at the drop first
  NOT_FOUND      no such drop
COST  O(r + c), r = holds of the part (about 256), c = charges
--]]
--#use begin catch_up commit unpacked get owner_of ended_till long_ended paid_for_nothing

local clock_ms, charges, others, cursor = tonumber(ARGV[1]), cmsgpack.unpack(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local ROWS = 256

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
if t.state == 'frozen' or (redis.call('HGET', t.key.drop, 'froze') or '') ~= '' then
  return cmsgpack.pack({'FROZEN'})
end
local till, paid = ended_till(t), paid_for_nothing(t, charges, others)
local scan = paid and redis.call('HSCAN', t.key.holds, cursor, 'COUNT', ROWS)
local rows, gone = scan and scan[2] or {}, {}
for i = 1, #rows, 2 do
  local id, hold = rows[i], unpacked(rows[i + 1], 'holds')
  if hold[H_BEGAN] == 0 and (hold[H_PAYMENT] or '') == '' and long_ended(hold, till) and not paid[id] and not get(t, 'orders', id)
    and get(t, 'fans', owner_of(t, hold[H_FAN]))[F_LAST] ~= id then
    gone[#gone + 1] = id
  end
end

-- Whoever holds the records against the log must see that the day was over.
if gone[1] then t.wake.now = t.now_text end
commit(t)
if gone[1] then redis.call('HDEL', t.key.holds, unpack(gone)) end
if not paid then return cmsgpack.pack({'OTHER_CHARGES'}) end
return cmsgpack.pack({'TAKEN_OUT', #gone, scan[1]})
