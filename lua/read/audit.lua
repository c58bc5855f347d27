#!lua flags=no-writes,allow-oom
--[[
audit -- one part of one key of the truth and what moment that was. When the moment is the same for all parts,
together they are the truth at that moment, to be recounted from the records. What changes the truth makes the log
longer, or, like the end of a cooling, takes something out of `due` or freezes the drop without a word.

KEYS
  drop   hash   state, seq, ...
  due    zset   what its time alone will do
  part   hash or zset of the same drop
ARGV
  cursor   0 at first, then as answered
RETURNS
  PART       moment, cursor (0: that was the last), rows: field, value or member, score in turn; a plain reply,
             because the values are msgpack themselves
  NOT_FOUND  no such drop
COST  O(r), r = rows (about 500)
--]]
--#use refuse_newer_schema

local drop, due, part, cursor = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local ROWS = 500

local found = redis.call('HMGET', drop, 'seq', 'state', 'schema')
if not found[1] then return {'NOT_FOUND'} end
refuse_newer_schema(found[3])
local moment = found[1] .. ' ' .. found[2] .. ' ' .. redis.call('ZCARD', due)
local kind = redis.call('TYPE', part).ok
if kind == 'none' then return {'PART', moment, '0', {}} end
local scan = redis.call(kind == 'zset' and 'ZSCAN' or 'HSCAN', part, cursor, 'COUNT', ROWS)
return {'PART', moment, scan[1], scan[2]}
