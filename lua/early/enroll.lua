#!lua flags=allow-oom
--[[
enroll -- a fan is in these cohorts from now on; who says so has looked him up. What he is in already changes nothing, nor
does anything once the drop is open to all. A guest who became a person is asked about as that person.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  fan        who
  cohorts    msgpack: ids
RETURNS
  ENROLLED     seq, cohorts: all that he is in; a repeat too
  CLOSED CANCELLED   the drop's state, which this is not for
  BAD_MESSAGE  why: the fan is no id, or the drop has no such cohort
  FROZEN       the books do not add up
  AGAIN        more was due than one script settles; send it again
  NOT_FOUND    no such drop
COST  O(e log n), e = entries of the fan, n = entries of the drop
--]]
--#use begin_command unfit_id owner_of fan_of is_early unready refresh_readiness emit conclude

local clock_ms, fan_id, cohorts = tonumber(ARGV[1]), ARGV[2], cmsgpack.unpack(ARGV[3])
local OVER = {closing = 'CLOSED', settled = 'CLOSED', cancelled = 'CANCELLED'}
local t, early = begin_command(unfit_id(fan_id, 1, ID_CHARS_MAX, 'fan'), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local wanted, known = {}, {}
for _, id in ipairs(cohorts) do wanted[id] = true end
for _, id in ipairs(t.rules.cohorts or {}) do known[id] = true end
for _, id in ipairs(cohorts) do
  if not known[id] then return cmsgpack.pack({'BAD_MESSAGE', 'cohorts has one that the drop does not have'}) end
end
fan_id = owner_of(t, fan_id)
local fan, mine, all, new = fan_of(t, fan_id), {}, {}, {}
for _, id in ipairs(fan[F_COHORTS] or {}) do mine[id] = true end
for _, id in ipairs(t.rules.cohorts or {}) do
  if wanted[id] or mine[id] then all[#all + 1] = id end
  if wanted[id] and not mine[id] then new[#new + 1] = id end
end
if not new[1] or not is_early(t) then return cmsgpack.pack({'ENROLLED', t.seq, fan[F_COHORTS] or {}}) end
if OVER[t.state] then return cmsgpack.pack({OVER[t.state]}) end

-- His entries leave the lines of one class, and stand in those of another.
unready(t, fan)
fan[F_PERSON], fan[F_GUESTS], fan[F_COHORTS] = fan[F_PERSON] or '', fan[F_GUESTS] or {}, all
emit(t, 'enrolled', fan_id, '"cohorts":["' .. table.concat(new, '","') .. '"]')
refresh_readiness(t, fan_id, false)
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'ENROLLED', seq, all})
