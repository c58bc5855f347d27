#!lua flags=allow-oom
--[[
archive -- a drop that has long been over leaves the server of the truth as a whole, when the books have all of it. What
stays is a word that its id is taken. It comes back by `bring_back`.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  seq   its last event, as the books have it
RETURNS
  ARCHIVED
  NOT_NOW    it goes on, or somebody has to look at it, or something is owed or due, or it has come further
  NOT_FOUND  no such drop
COST  O(1): what is large is given back by another thread
--]]
--#use refuse_newer_schema

local drop, due, outbox = KEYS[1], KEYS[8], KEYS[15]
local seq = ARGV[1]
local OVER = {settled = true, cancelled = true}

local head = redis.call('HMGET', drop, 'state', 'seq', 'schema', 'mark', 'froze')
if not head[1] then return cmsgpack.pack({'NOT_FOUND'}) end
refuse_newer_schema(head[3])
local busy = redis.call('HLEN', outbox) + redis.call('ZCARD', due)
if not OVER[head[1]] or head[2] ~= seq or (head[4] or '0') ~= '0' or (head[5] or '') ~= '' or busy > 0 then
  return cmsgpack.pack({'NOT_NOW'})
end

redis.call('UNLINK', unpack(KEYS, 1, #KEYS - 1))
redis.call('HSET', drop, 'archived', seq)
return cmsgpack.pack({'ARCHIVED'})
