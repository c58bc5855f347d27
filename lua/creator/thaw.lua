#!lua flags=allow-oom
--[[
thaw -- somebody has looked, and the records of a frozen drop agree with its log: it comes back paused, or as it
was where nothing can be sold. Its own time goes on from where it froze.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
  found      records that differed from the log and were rewritten
RETURNS
  CHANGED          seq, revision, state; a repeat too
  ALREADY          state, what, by: nothing is frozen
  BAD_MESSAGE      why: a field is not within its bounds
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries
--]]
--#use fault_in_thaw begin_command check_command refuse_in_state adds_up conclude_command
--#use tell_time change_state move_lead

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local found = ARGV[5]
local t, early = begin_command(fault_in_thaw(by, key, revision, found), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local reply = check_command(t, revision, by, key, 'thaw')
local row = redis.call('HMGET', t.key.drop, 'froze', 'was')
local froze, was = row[1] or '', row[2] or ''
if not reply and t.state ~= 'frozen' and froze == '' then
  reply = refuse_in_state(t, {[t.state] = true})
end
for _, pool in pairs(reply and {} or t.record.pools) do
  if not adds_up(pool) then reply = {'FROZEN'} end
end
if reply then return cmsgpack.pack(reply) end
local lost = 0
if t.state == 'frozen' then
  lost = math.max(t.clock + t.lead - t.last, 0)
  tell_time(t, t.last)
  -- An older engine did not keep what it was.
  change_state(t, (was == 'live' or was == '') and 'paused' or was)
  move_lead(t)
  -- A clock that is in doubt stays so; and that nothing ran meanwhile was no outage.
  t.wake.doubt, t.wake.ran = nil, t.marked and t.clock or nil
end
if t.state == 'paused' then t.drop.paused_by, t.drop.why = by, '' end
t.drop.froze, t.drop.was = '', ''
return cmsgpack.pack(conclude_command(t, by, key, 'thaw', 'thawed', 'lead', t.lead,
  'why', froze == '' and 'books' or froze, 'state', t.state, 'found', tonumber(found), 'lost_ms', lost))
