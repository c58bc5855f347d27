#!lua flags=allow-oom
--[[
adopt -- a guest becomes a person: what he has in the drop is the person's from now on, and his id answers as the
person. Only if both together keep every limit; else nothing moves. A guest is adopted once.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  guest      a fan
  person     another fan, or an id that was never seen
RETURNS
  ADOPTED        seq; a repeat too
  NOTHING_BEGUN  the guest never did anything in this drop: nothing is his, and nothing is written
  LIMIT_REACHED  room: 0; what the guest has and what the person has, rows {hold, pool, qty, offer or hold or order}
  NOT_ADOPTABLE  why: anothers, chain or too_many
  BAD_MESSAGE    why: guest or person is no id, or they are one
  AGAIN          more was due than one script settles; send it again
  FROZEN         the books do not add up
  NOT_FOUND      no such drop
COST  O(g log n + p), g = what the guest has, p = what the person has, n = holds and entries
--]]
--#use begin catch_up conclude get fan_of unfit_id fits_together what_he_has take_over merge_entries remove_filled
--#use refresh_readiness

local clock_ms, guest_id, person_id = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local GUESTS_MAX = 3

local fault = unfit_id(guest_id, 1, ID_CHARS_MAX, 'guest') or unfit_id(person_id, 1, ID_CHARS_MAX, 'person')
if fault or guest_id == person_id then return cmsgpack.pack({'BAD_MESSAGE', fault or 'guest and person are one'}) end
local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end

local guest = get(t, 'fans', guest_id)
local adopted_by = guest and guest[F_PERSON] or ''
if adopted_by == person_id then return cmsgpack.pack({'ADOPTED', t.seq}) end
if adopted_by ~= '' then return cmsgpack.pack({'NOT_ADOPTABLE', 'anothers'}) end
local person = get(t, 'fans', person_id) or nil
if (person and person[F_PERSON] or '') ~= '' or guest and (guest[F_GUESTS] or {})[1] then
  return cmsgpack.pack({'NOT_ADOPTABLE', 'chain'})
end
if not guest then return cmsgpack.pack({'NOTHING_BEGUN'}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
person = fan_of(t, person_id)
if #(person[F_GUESTS] or {}) >= GUESTS_MAX then return cmsgpack.pack({'NOT_ADOPTABLE', 'too_many'}) end
if not fits_together(t, guest, person) then
  return cmsgpack.pack({'LIMIT_REACHED', 0, what_he_has(t, guest), what_he_has(t, person)})
end

take_over(t, guest_id, guest, person_id, person)
merge_entries(t, person)
remove_filled(t, person)
refresh_readiness(t, person_id, false)
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'ADOPTED', seq})
