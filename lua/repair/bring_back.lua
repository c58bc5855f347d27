#!lua
--[[
bring_back -- write rows of one key of a drop that is not there yet, as its log and its backup make them. The key `drop`
comes last: with it the drop is there, and nothing of it is written any more. What was written before is
written once more by whoever begins again.

KEYS
  drop   hash   not there
  part   hash, zset or stream of the same drop, or the same key again
ARGV
  kind   hash, zset or stream: what the part is
  rows   msgpack: field, value or score, member in turn; of a stream the last event of an entry, then its fields
RETURNS
  BROUGHT_BACK
  IS_THERE       the drop is there, or that entry
COST  O(r log n), r = rows (1,000 at most), n = rows of the part
--]]

local drop, part = KEYS[1], KEYS[2]
local kind, rows = ARGV[1], cmsgpack.unpack(ARGV[2])
local COMMANDS = {hash = 'HSET', zset = 'ZADD', stream = 'XADD'}

if redis.call('HGET', drop, 'state') then return cmsgpack.pack({'IS_THERE'}) end
if kind == 'stream' then
  local last = redis.call('XREVRANGE', part, '+', '-', 'COUNT', 1)[1]
  if last and tonumber(string.match(last[1], '^%d+')) >= tonumber(rows[1]) then
    return cmsgpack.pack({'IS_THERE'})
  end
  rows[1] = rows[1] .. '-0'
end
-- It left, and now it is here.
if part == drop then redis.call('HDEL', drop, 'archived') end
redis.call(COMMANDS[kind], part, unpack(rows))
return cmsgpack.pack({'BROUGHT_BACK'})
