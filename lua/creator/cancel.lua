#!lua flags=allow-oom
--[[
cancel -- the creator calls the drop off: holds end, every order is refunded, by and by.

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
  CLOSED           it is settled, which this is not for
  ALREADY          state, what, by: it is cancelled
  BAD_MESSAGE      why: a field is not within its bounds
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries; of a frozen drop O(c), c = entries that were cooling, and O(h),
  h = all holds that were, where it was written by half
--]]
--#use fault_in_cancel begin_command check_command refuse_in_state conclude_command change_state relist cool_off
--#use forget_calls

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local why = ARGV[5] or ''
local t, early = begin_command(fault_in_cancel(by, key, revision, why), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local body = why == '' and 'cancel' or 'cancel|' .. redis.sha1hex(why)
local reply = check_command(t, revision, by, key, body)
if not reply and (t.state == 'settled' or t.state == 'cancelled') then
  reply = refuse_in_state(t, {cancelled = true})
end
local frozen, froze, was, stood = t.state == 'frozen', '', '', 0
if frozen then froze, was = unpack(redis.call('HMGET', t.key.drop, 'froze', 'was')) end
if not reply and was == 'settled' then reply = {'CLOSED'} end
if reply then return cmsgpack.pack(reply) end
change_state(t, 'cancelled')
t.drop.why = why
if frozen then t.drop.froze, t.drop.was = '', '' end
if froze == 'half' then relist(t) end
if frozen then stood = cool_off(t) end
t.zset.due.open, t.zset.due.close, t.zset.due.lobby, t.zset.due.seal = false, false, false, false
forget_calls(t)
local told = {'why', why, 'froze', froze or '', 'stood', stood}
return cmsgpack.pack(conclude_command(t, by, key, body, 'cancelled', unpack(told)))
