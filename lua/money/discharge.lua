#!lua flags=allow-oom
--[[
discharge -- a duty was done outside and is ticked off.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  duty       its id, <kind>:<charge or hold>
  result     done, or failed: a capture that the provider refuses for good
RETURNS
  DISCHARGED  duty, seq
  AGAIN       more was due than one script settles; send it again
  FROZEN      the books do not add up
  NOT_FOUND   no such drop or duty: somebody ticked it off before, it cannot be read, or it asks about a hold that
              stands
  BAD_MESSAGE why: only a capture may fail; what else fails stays owed
COST  O(log n), n = holds and entries
--]]
--#use begin catch_up conclude owed end_duty

local clock_ms, id, result = tonumber(ARGV[1]), ARGV[2], ARGV[3]

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local duty = owed(t, id)
if not duty then return cmsgpack.pack({'NOT_FOUND'}) end
if result ~= 'done' and (result ~= 'failed' or duty[D_KIND] ~= 'capture') then
  return cmsgpack.pack({'BAD_MESSAGE', 'result'})
end

end_duty(t, id, duty, result, '')
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'DISCHARGED', id, seq})
