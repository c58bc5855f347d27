#!lua flags=allow-oom
--[[
reveal -- what the sealed list is ordered by is told: the secret that was committed to, or the signature of a beacon's
round. Whoever sends it has proven it; a script has no SHA-256.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  value      at most 96 bytes as hex digits
RETURNS
  REVEALED     seq; a repeat too
  OTHER_VALUE  value: another one was told
  NOT_ROOTED   the root of the list comes first
  NOT_SEALED   state: nothing is being ordered
  BAD_MESSAGE  why: these are no hex digits
  FROZEN       the books do not add up
  AGAIN        more was due than one script settles; send it again
  NOT_FOUND    no such drop
COST  O(1)
--]]
--#use begin_command unfit_hex ordering_of emit fields conclude

local clock_ms, value = tonumber(ARGV[1]), ARGV[2]
local t, early = begin_command(unfit_hex(value, 1, 96, 'value'), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end
local ordering, refusal = ordering_of(t)
if refusal then return cmsgpack.pack(refusal) end
if ordering.root == '' then return cmsgpack.pack({'NOT_ROOTED'}) end
if ordering.revealed == '' then
  t.drop.revealed = value
  emit(t, 'revealed', nil, fields('value', value))
elseif ordering.revealed ~= value then
  return cmsgpack.pack({'OTHER_VALUE', ordering.revealed})
end
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'REVEALED', t.seq})
