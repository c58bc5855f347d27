#!lua flags=allow-oom
--[[
realign -- the server's clock is right: the drop's own time goes on from where it stands, and what is planned
means the clock again.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
RETURNS
  CHANGED          seq, revision, state; a repeat too
  CLOSED CANCELLED   the drop's state, which this is not for
  ALREADY          state, what, by: its time goes on and nobody doubts the clock
  BAD_MESSAGE      why: a field is not within its bounds
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries
--]]
--#use fault_in_realign begin_command check_command refuse_in_state conclude_command move_lead

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local OVER = {settled = true, cancelled = true}
local t, early = begin_command(fault_in_realign(by, key, revision), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local reply = check_command(t, revision, by, key, 'realign')
if not reply and OVER[t.state] then reply = refuse_in_state(t, {}) end
if not reply and t.now - t.clock == t.lead and not t.doubt then
  reply = refuse_in_state(t, {[t.state] = true})
end
if reply then return cmsgpack.pack(reply) end
return cmsgpack.pack(conclude_command(t, by, key, 'realign', 'realigned', 'lead', move_lead(t), 'why',
  'leap'))
