#!lua
--[[
widen -- the creator opens the drop to all: the cohorts' ceilings end, and who is in none may press. Nothing moves.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
RETURNS
  CHANGED          seq, revision, state; a repeat too
  NOT_OPEN CLOSED CANCELLED   the drop's state, which this is not for
  ALREADY          state, what, by: it is open to all
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  BAD_MESSAGE      why: a field is not within its bounds
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries
--]]
--#use fault_in_widen begin_command check_command refuse_in_state conclude_command is_early widened

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local t, early = begin_command(fault_in_widen(by, key, revision), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local reply = check_command(t, revision, by, key, 'widen')
if not reply and t.state ~= 'live' and t.state ~= 'paused' then reply = refuse_in_state(t, {}) end
if not reply and not is_early(t) then reply = refuse_in_state(t, {[t.state] = true}) end
if reply then return cmsgpack.pack(reply) end
widened(t)
return cmsgpack.pack(conclude_command(t, by, key, 'widen', 'widened'))
