#!lua flags=allow-oom
--[[
pause -- nothing new begins; holds and offers go on and may be paid. A pause that would end by itself is taken
over by whoever pauses too and does not pass.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
  why        one line that fans read, or ''
RETURNS
  CHANGED          seq, revision, state; a repeat too
  NOT_OPEN CLOSED CANCELLED   the drop's state, which this is not for
  ALREADY          state, what, by: it is paused, and that does not end by itself
  BAD_MESSAGE      why: a field is not within its bounds
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries
--]]
--#use fault_in_pause begin_command check_command refuse_in_state conclude_command change_state passes

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local why = ARGV[5] or ''
local t, early = begin_command(fault_in_pause(by, key, revision, why), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local body = 'pause|' .. redis.sha1hex(why)
local reply = check_command(t, revision, by, key, body)
local taken_over = t.state == 'paused' and not passes(by) and passes(redis.call('HGET', t.key.drop, 'paused_by'))
if not reply and t.state ~= 'live' and not taken_over then reply = refuse_in_state(t, {paused = true}) end
if reply then return cmsgpack.pack(reply) end
if not taken_over then change_state(t, 'paused') end
t.drop.why, t.drop.paused_by = why, by
return cmsgpack.pack(conclude_command(t, by, key, body, 'paused', 'why', why))
