#!lua
--[[
audit -- one part of one key of the truth and the log's length at that moment. When the length is the same
for all parts, together they are the truth at one moment, to be recounted from the records.

KEYS
  drop   hash   state, seq, ...
  part   hash or zset of the same drop
ARGV
  cursor   0 at first, then as answered
RETURNS
  PART       seq, cursor (0: that was the last), rows: field, value or member, score in turn; a plain reply,
             because the values are msgpack themselves
  NOT_FOUND  no such drop
COST  O(r), r = rows (about 500)
--]]
--#use refuse_newer_schema

local drop, part, cursor = KEYS[1], KEYS[2], ARGV[1]
local ROWS = 500

local found = redis.call('HMGET', drop, 'seq', 'schema')
local seq = found[1]
if not seq then return {'NOT_FOUND'} end
refuse_newer_schema(found[2])
local kind = redis.call('TYPE', part).ok
if kind == 'none' then return {'PART', tonumber(seq), '0', {}} end
local scan = redis.call(kind == 'zset' and 'ZSCAN' or 'HSCAN', part, cursor, 'COUNT', ROWS)
return {'PART', tonumber(seq), scan[1], scan[2]}
