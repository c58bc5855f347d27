#!lua
--[[
exempt -- a network, or the wider one around some, may have as many unpaid holds and open entries as its people like: it is a
venue's, or a whole town's.

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
  ALREADY          state, what, by: it is exempt
  NOT_FOUND        no such drop, or nobody was refused at a network of that name
  BAD_MESSAGE      why: a field is not within its bounds, or as many are exempt as may be
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
COST  O(log n), n = holds and entries
--]]
--#use fault_in_exempt begin_command check_command refuse_in_state conclude_command exempted

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local network = ARGV[5]
local EXEMPT_MAX = 64
local t, early = begin_command(fault_in_exempt(by, key, revision, network), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local body = 'exempt|' .. network
local reply = check_command(t, revision, by, key, body)
if not reply and (t.state == 'settled' or t.state == 'cancelled') then reply = refuse_in_state(t, {}) end
local list, place = exempted(t, network)
if not reply and place then reply = refuse_in_state(t, {[t.state] = true}) end
local known = t.counted and redis.call('HGET', t.key.crowded, network)
if not reply and not known then reply = {'NOT_FOUND'} end
if not reply and #list >= EXEMPT_MAX then reply = {'BAD_MESSAGE', 'network is one more than may be exempt'} end
if reply then return cmsgpack.pack(reply) end
list[#list + 1] = network
t.counts_at.exempt = cmsgpack.pack(list)
return cmsgpack.pack(conclude_command(t, by, key, body, 'exempted', 'network', network))
