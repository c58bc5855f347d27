#!lua flags=allow-oom
--[[
root -- the Merkle root of the sealed list is told, before anything is revealed. Whoever computes it gets the same one.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  root       32 bytes as hex digits
RETURNS
  ROOTED       seq; a repeat too
  OTHER_ROOT   root: another one was told
  NOT_SEALED   state: nothing is being ordered
  BAD_MESSAGE  why: this is no root
  FROZEN       the books do not add up
  AGAIN        more was due than one script settles; send it again
  NOT_FOUND    no such drop
COST  O(1)
--]]
--#use begin_command unfit_hex ordering_of emit fields conclude

local clock_ms, root = tonumber(ARGV[1]), ARGV[2]
local t, early = begin_command(unfit_hex(root, 32, 32, 'root'), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end
local ordering, refusal = ordering_of(t)
if refusal then return cmsgpack.pack(refusal) end
if ordering.root == '' then
  t.drop.root = root
  emit(t, 'rooted', nil, fields('root', root))
elseif ordering.root ~= root then
  return cmsgpack.pack({'OTHER_ROOT', ordering.root})
end
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'ROOTED', t.seq})
