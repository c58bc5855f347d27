#!lua flags=allow-oom
--[[
revoke -- tickets that are not good any more, by their names, and a word to all workers. A name stands here for as
long as a ticket could last that bears it; what stood here longer goes, a little each time. Whoever signs out must
be signed out of a server whose memory is full, too.

KEYS
  revoked   zset   name of a ticket -> when it was taken back, ms
ARGV
  channel   on which the workers hear of it
  keep_ms   no ticket lasts longer
  names     packed list
RETURNS
  REVOKED   when, ms
COST  O(n log r), n = names, r = those that stand there
--]]

local revoked = KEYS[1]
local channel, keep_ms, names = ARGV[1], ARGV[2], ARGV[3]
local OLD_AT_ONCE = 64

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = string.format('%.0f', now)
local over = redis.call('ZRANGEBYSCORE', revoked, 0, string.format('%.0f', now - keep_ms), 'LIMIT', 0, OLD_AT_ONCE)

for _, name in ipairs(over) do redis.call('ZREM', revoked, name) end
for _, name in ipairs(cmsgpack.unpack(names)) do redis.call('ZADD', revoked, at, name) end
redis.call('PUBLISH', channel, 'revoked')
return cmsgpack.pack({'REVOKED', at})
