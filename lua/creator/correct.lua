#!lua
--[[
correct -- the maker's words are put right: a new version of the manifest, which says the same rules. The versions
before it are kept.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
  hash       SHA-256 of the canonical manifest, hex
  manifest   its canonical JSON; whoever sends it has compared the rules
RETURNS
  CHANGED          seq, revision, state; a repeat too
  CANCELLED        the drop's state, which this is not for
  ALREADY          state, what, by: it reads so
  BAD_MESSAGE      why: a field is not within its bounds, or it was corrected too often
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries
--]]
--#use fault_in_correct begin_command check_command refuse_in_state conclude_command

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local hash, manifest = ARGV[5], ARGV[6]
local VERSIONS_MAX = 20
local t, early = begin_command(fault_in_correct(by, key, revision, hash, manifest), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local body = 'correct|' .. hash
local reply = check_command(t, revision, by, key, body)
if not reply and t.state == 'cancelled' then reply = refuse_in_state(t, {}) end
if reply then return cmsgpack.pack(reply) end
local was = redis.call('HMGET', t.key.drop, 'hash', 'manifest', 'versions')
if was[1] == hash then return cmsgpack.pack(refuse_in_state(t, {[t.state] = true})) end
local versions = was[3] and cmsgpack.unpack(was[3]) or {}
if #versions >= VERSIONS_MAX then
  return cmsgpack.pack({'BAD_MESSAGE', 'manifest was corrected ' .. VERSIONS_MAX .. ' times, which is the most'})
end
versions[#versions + 1] = {t.now, was[1], was[2]}
t.drop.versions, t.drop.hash, t.drop.manifest = cmsgpack.pack(versions), hash, manifest
return cmsgpack.pack(conclude_command(t, by, key, body, 'corrected', 'hash', hash))
