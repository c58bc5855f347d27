#!lua
--[[
restrict -- a network that was exempt may again have no more unpaid holds and open entries than others. What its people
have they keep.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
  network    what it is called in this drop
RETURNS
  CHANGED          seq, revision, state; a repeat too
  CLOSED CANCELLED   the drop's state, which this is not for
  ALREADY          state, what, by: it is not exempt
  BAD_MESSAGE      why: a field is not within its bounds
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries
--]]
--#use fault_in_restrict begin_command check_command refuse_in_state conclude_command exempted

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local network = ARGV[5]
local t, early = begin_command(fault_in_restrict(by, key, revision, network), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local body = 'restrict|' .. network
local reply = check_command(t, revision, by, key, body)
if not reply and (t.state == 'settled' or t.state == 'cancelled') then reply = refuse_in_state(t, {}) end
local list, place = exempted(t, network)
if not reply and not place then reply = refuse_in_state(t, {[t.state] = true}) end
if reply then return cmsgpack.pack(reply) end
table.remove(list, place)
t.counts_at.exempt = list[1] and cmsgpack.pack(list) or false
return cmsgpack.pack(conclude_command(t, by, key, body, 'restricted', 'network', network))
