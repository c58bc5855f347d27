#!lua flags=allow-oom
--[[
ahead -- whom the lines of a drop call next, and which holds and offers end soon, for its operators. It settles and
decides nothing: what is due already is settled by others.

KEYS
  drop      hash   of which its layout is read
  pools     hash   pool -> its record
  due       zset   what ends when
  ready     zset   entry@pool index -> line score
  holds     hash   hold -> its record
  entries   hash   entry -> its record
ARGV
  most   rows of each line, and of what ends
RETURNS
  AHEAD   rows {line, entry, its record} of each line (pool index x 2 + lane), rows {hold, its record}
COST  O(p log n + m), p = pools, m = most
--]]
--#use line_score refuse_newer_schema

local drop, pools, due = KEYS[1], KEYS[2], KEYS[3]
local ready, holds, entries = KEYS[4], KEYS[5], KEYS[6]
local most = tonumber(ARGV[1])
refuse_newer_schema(redis.call('HGET', drop, 'schema') or 0)

local waiting, ends = {}, {}
for line = 0, redis.call('HLEN', pools) * 2 - 1 do
  local first, after = string.format('%d', line * LINE), '(' .. string.format('%d', (line + 1) * LINE)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', ready, first, after, 'LIMIT', 0, most)) do
    local entry = string.match(member, '^(.*)@')
    local record = redis.call('HGET', entries, entry)
    if record then waiting[#waiting + 1] = {line, entry, cmsgpack.unpack(record)} end
  end
end
for _, member in ipairs(redis.call('ZRANGE', due, 0, most * 4)) do
  local hold = #ends < most and string.match(member, '^h:(.*)$')
  local record = hold and redis.call('HGET', holds, hold)
  if record then ends[#ends + 1] = {hold, cmsgpack.unpack(record)} end
end
return cmsgpack.pack({'AHEAD', waiting, ends})
