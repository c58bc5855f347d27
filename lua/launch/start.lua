#!lua flags=allow-oom
--[[
start -- the whole list has its arrivals: the drop opens, and the first entries are called, as many as there are units.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
RETURNS
  STARTED      seq; also where it was opened before
  NOT_PLACED   next: this arrival is not given out yet
  NOT_SEALED   state: nothing is being ordered
  FROZEN       the books do not add up
  AGAIN        more was due than one script settles; send it again
  NOT_FOUND    no such drop
COST  O(log n), n = holds and entries
--]]
--#use begin catch_up has_list ordering_of change_state plan_close begin_calls plan_widening by_clock emit conclude

local clock_ms = tonumber(ARGV[1])
local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
if t.state == 'live' and has_list(t) then return cmsgpack.pack({'STARTED', t.seq}) end
local ordering, refusal = ordering_of(t)
if refusal then return cmsgpack.pack(refusal) end
if ordering.placed < ordering.entries then return cmsgpack.pack({'NOT_PLACED', ordering.placed + 1}) end
change_state(t, 'live')
plan_close(t)
plan_widening(t)
begin_calls(t)
t.drop.first = 0
emit(t, 'opened', nil, by_clock(t))
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'STARTED', t.seq})
