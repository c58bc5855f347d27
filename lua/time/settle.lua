#!lua flags=allow-oom
--[[
settle -- decide what is due and serve the line, with nothing else to do. Whether it runs or not changes
nothing about who can buy: every script does the same before it decides.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
RETURNS
  SETTLED    now_ms, seq, state, next_ms (when something is due next, 0: nothing), duties, why it is
             frozen or '', 1 where places of an earlier drop are to be carried over
  AGAIN      more is due; send it again
  FROZEN     the books did not add up just now
  NOT_FOUND  no such drop
COST  O(d log n), d = things due (64 at most), n = holds and entries
--]]
--#use begin catch_up to_carry

local clock_ms = tonumber(ARGV[1])

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
local first = redis.call('ZRANGE', t.key.due, 0, 0, 'WITHSCORES')
return cmsgpack.pack({'SETTLED', t.now - t.lead, t.seq, t.state,
  first[2] and first[2] - t.lead or 0, redis.call('HLEN', t.key.outbox),
  redis.call('HGET', t.key.drop, 'froze') or (t.state == 'frozen' and 'books' or ''),
  t.state == 'scheduled' and to_carry(t) and 1 or 0})
