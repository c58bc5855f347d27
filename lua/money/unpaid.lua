#!lua flags=allow-oom
--[[
unpaid -- the provider was asked about a silent payment and says that nobody paid: the hold, whose
deadline is over, ends now.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  hold
RETURNS
  EXPIRED       hold, seq
  HOLD_EXPIRED  state: it has ended already
  AGAIN         more was due than one script settles; send it again
  FROZEN        the books do not add up
  NOT_FOUND     no such drop, or no hold that is being asked about
COST  O(log n), n = holds and entries
--]]
--#use begin catch_up conclude get still_held end_hold

local clock_ms, id = tonumber(ARGV[1]), ARGV[2]

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local record = get(t, 'holds', id)
if not record then return cmsgpack.pack({'NOT_FOUND'}) end
if not still_held(record) then return cmsgpack.pack({'HOLD_EXPIRED', record[H_STATE]}) end
if record[H_LOOKED] == 0 then return cmsgpack.pack({'NOT_FOUND'}) end

end_hold(t, id, record, 'expired', '')
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'EXPIRED', id, seq})
