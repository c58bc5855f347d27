#!lua flags=allow-oom
--[[
doubt_clock -- the server's clock leapt: a drop that waits for its opening time does not open by it until it is
realigned, or opened by hand. So it is with a list that waits to be opened or sealed, and with what opens it to all.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
RETURNS
  DOUBTED    whether it waits for a time
  NOT_FOUND  no such drop
COST  O(1)
--]]
--#use begin commit

local clock_ms = tonumber(ARGV[1])

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local waits = false
for _, planned in ipairs({'open', 'lobby', 'seal'}) do
  local comes = redis.call('ZSCORE', t.key.due, planned) ~= false
  waits = waits or comes and (t.state == 'scheduled' or t.state == 'lobby')
end
local widens = (t.state == 'live' or t.state == 'paused') and redis.call('ZSCORE', t.key.due, 'widen') ~= false
waits = waits or widens
if waits then t.wake.doubt = 1 end
commit(t)
return cmsgpack.pack({'DOUBTED', waits})
