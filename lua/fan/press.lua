#!lua
--[[
press -- a batch of fans' commands, decided as if they came one by one. Everything is decided first and
written together; what became free goes to the line at the end, and until then no newcomer gets past it.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  batch      msgpack: commands {verb, fan, key, ...} in order; each verb's own file has its fields
  networks   of each command, as `read_networks` takes them; not given where nobody knows them
  key        the key that networks are called by
  domains    of each command, as `read_networks` takes them
RETURNS
  PRESSED    now_ms, leads {at, lead}, outcomes, one per command: HELD CLAIMED RELEASED EXTENDED PAYING UNPAYING JOINED LEFT
             CONFIRMED BASKETED SWAPPED or
             NOT_OPEN PAUSED CLOSED CANCELLED FROZEN LIMIT_REACHED ALL_HELD SOLD_OUT HOLD_EXPIRED
             NOT_FOUND KEY_REUSED TOO_MANY_REQUESTS NETWORK_FULL DOMAIN_FULL NOT_ELIGIBLE COHORT_FULL
             PAYING_ALREADY OTHER_PRICE HAND_FULL BAD_MESSAGE; ALL_OR_NOTHING of a want of a basket
  OTHER_KEY  key: the drop calls networks by this one; nothing was decided, send the same batch again
  AGAIN      more was due than one script settles; nothing was decided, send the same batch again
  FROZEN     the books did not add up; nothing of the batch was written
  NOT_FOUND  no such drop
COST  O(c log n), c = commands (256 at most), n = holds and entries
--]]
--#use begin catch_up decide read_networks hold claim release extend pay unpay join leave confirm basket swap

local clock_ms, batch, networks, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local domains = ARGV[5]

local VERBS = {
  hold = hold, claim = claim, release = release, extend = extend, pay = pay, unpay = unpay, join = join,
  leave = leave, confirm = confirm, basket = basket, swap = swap,
}

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
local other = read_networks(t, networks, key, domains)
if other then return cmsgpack.pack({'OTHER_KEY', other}) end

return decide(t, VERBS, batch)
