#!lua
--[[
withdraw -- free units of a pool are withheld; what fans hold or own is never touched.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
  pool
  qty        units
RETURNS
  CHANGED          seq, revision, state; a repeat too
  TOO_FEW          free, held, sold, withheld: the pool has fewer free units
  CLOSED CANCELLED   the drop's state, which this is not for
  BAD_MESSAGE      why: a field is not within its bounds
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop, or no such pool
COST  O(log n), n = holds and entries
--]]
--#use fault_in_withdraw begin_command move_units

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local pool_id, qty = ARGV[5], ARGV[6]
local t, early = begin_command(fault_in_withdraw(by, key, revision, pool_id, qty), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local command = {revision, by, key, pool_id, tonumber(qty)}
return cmsgpack.pack(move_units(t, command, 'withdraw', 'withdrawn', P_FREE, P_WITHHELD))
