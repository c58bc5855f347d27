#!lua
--[[
open -- the creator opens the drop: from now on fans may press. Where chance gives out the arrivals, its list opens.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
RETURNS
  CHANGED          seq, revision, state; a repeat too
  PAUSED CLOSED CANCELLED   the drop's state, which this is not for
  ALREADY          state, what, by: it is open
  BAD_MESSAGE      why: a field is not within its bounds
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  NOT_CARRIED      looked, of (0: it is not known how many): places of an earlier drop are still to be carried over
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries
--]]
--#use fault_in_open begin_command check_command refuse_in_state conclude_command change_state plan_close begin_calls
--#use has_list begin_lobby plan_widening to_carry

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local t, early = begin_command(fault_in_open(by, key, revision), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local reply = check_command(t, revision, by, key, 'open')
if not reply and t.state ~= 'scheduled' then reply = refuse_in_state(t, {lobby = true, ordering = true, live = true}) end
if not reply then
  local looked, of = to_carry(t)
  if looked then reply = {'NOT_CARRIED', looked, of or 0} end
end
if reply then return cmsgpack.pack(reply) end
if has_list(t) then
  return cmsgpack.pack(conclude_command(t, by, key, 'open', 'lobby_opened', 'seals', begin_lobby(t)))
end
change_state(t, 'live')
t.zset.due.open = false
plan_close(t)
plan_widening(t)
begin_calls(t)
return cmsgpack.pack(conclude_command(t, by, key, 'open', 'opened'))
