#!lua flags=allow-oom
--[[
rewrite -- put rows of one key of a frozen drop in order, as its log makes them: what `audit` found, piece by
piece. A drop that froze after it was over is rewritten too. Nothing else writes the truth but `commit`.

KEYS
  drop   hash   state, froze, ...
  part   hash or zset of the same drop
ARGV
  kind   hash or zset: what the part is
  rows   msgpack: field, value or score, member in turn
  gone   msgpack: fields or members that the log does not know
RETURNS
  REWRITTEN    how many rows
  NOT_FROZEN   it is not frozen
  NOT_FOUND    no such drop
COST  O(r log n), r = rows (1,000 at most), n = rows of the part
--]]
--#use refuse_newer_schema

local drop, part = KEYS[1], KEYS[2]
local kind, rows, gone = ARGV[1], cmsgpack.unpack(ARGV[2]), cmsgpack.unpack(ARGV[3])
local COMMANDS = {hash = {'HSET', 'HDEL'}, zset = {'ZADD', 'ZREM'}}

local head = redis.call('HMGET', drop, 'state', 'schema', 'froze')
if not head[1] then return cmsgpack.pack({'NOT_FOUND'}) end
refuse_newer_schema(head[2])
if head[1] ~= 'frozen' and (head[3] or '') == '' then return cmsgpack.pack({'NOT_FROZEN'}) end
if #rows > 0 then redis.call(COMMANDS[kind][1], part, unpack(rows)) end
if #gone > 0 then redis.call(COMMANDS[kind][2], part, unpack(gone)) end
return cmsgpack.pack({'REWRITTEN', #rows / 2 + #gone})
