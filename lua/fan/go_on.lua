#!lua flags=allow-oom
--[[
go_on -- a batch of fans' commands that only go on with what was begun, for a server whose memory is full:
it refuses `press`, but what a fan holds must still be paid, given back or left.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  batch      msgpack: commands {verb, fan, key, ...} in order; each verb's own file has its fields
RETURNS
  PRESSED    now_ms, leads {at, lead}, outcomes, one per command: CLAIMED RELEASED EXTENDED PAYING UNPAYING LEFT CONFIRMED or
             CLOSED CANCELLED FROZEN HOLD_EXPIRED NOT_FOUND PAYING_ALREADY HAND_FULL BAD_MESSAGE
  AGAIN      more was due than one script settles; nothing was decided, send the same batch again
  FROZEN     the books did not add up; nothing of the batch was written
  NOT_FOUND  no such drop
COST  O(c log n), c = commands (256 at most), n = holds and entries
--]]
--#use begin catch_up decide claim release extend pay unpay leave confirm

local clock_ms, batch = tonumber(ARGV[1]), ARGV[2]

local VERBS = {claim = claim, release = release, extend = extend, pay = pay, unpay = unpay, leave = leave, confirm = confirm}

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end

return decide(t, VERBS, batch)
