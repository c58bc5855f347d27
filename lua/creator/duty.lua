#!lua flags=allow-oom
--[[
duty -- the creator ends a duty that the provider does not do: a person did it, or nobody will. It names its duty, so no
revision is asked.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  by         who commands
  key        idempotency key
  id         the duty's, <kind>:<charge or hold>
  as         by_hand or given_up
  why        a reason, one line, or ''
RETURNS
  DISCHARGED   duty, seq; a repeat too
  BAD_MESSAGE  why: a field is not within its bounds
  KEY_REUSED   the key was used for another command
  AGAIN        more was due than one script settles; send it again
  FROZEN       the books do not add up
  NOT_FOUND    no such drop or duty: it is done already, it cannot be read, or it asks about a hold that stands
COST  O(log n), n = holds and entries
--]]
--#use fault_in_duty begin_command answered answer command_field fields conclude owed end_duty

local clock_ms, by, key, id, as, why = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local t, early = begin_command(fault_in_duty(by, key, id, as, why), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end
local field, body = command_field(t.key.answers, by, key), 'duty|' .. id .. '|' .. as .. '|' .. redis.sha1hex(why)
local made = answered(t, field, body)
if made == nil then return cmsgpack.pack({'KEY_REUSED'}) end
if made then return cmsgpack.pack({'DISCHARGED', id, t.seq}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local duty = owed(t, id)
if not duty then return cmsgpack.pack({'NOT_FOUND'}) end

answer(t, field, body, id)
end_duty(t, id, duty, as, ',' .. fields('by', by, 'key', key, 'why', why))
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'DISCHARGED', id, seq})
