#!lua flags=allow-oom
--[[
ahead -- whom the lines of a drop call next, and which holds and offers end soon, for its operators. It settles and
decides nothing: what is due already is settled by others.

KEYS
  drop      hash   of which its layout and its cohorts are read
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
local head = redis.call('HMGET', drop, 'schema', 'rules')
refuse_newer_schema(head[1] or 0)
local classes = 2 ^ #(head[2] and cmsgpack.unpack(head[2]).cohorts or {})

local waiting, ends = {}, {}
-- Of the heads of all classes the first ones.
local function heads_of(line)
  local heads = {}
  for class = 0, classes - 1 do
    local start = class * CLASS + line * LINE
    local first, after = string.format('%d', start), '(' .. string.format('%d', start + LINE)
    local rows = redis.call('ZRANGEBYSCORE', ready, first, after, 'WITHSCORES', 'LIMIT', 0, most)
    for i = 1, #rows, 2 do heads[#heads + 1] = {string.match(rows[i], '^(.*)@'), rows[i + 1] - start} end
  end
  if classes > 1 then table.sort(heads, function(a, b) return a[2] < b[2] end) end
  return heads
end

for line = 0, redis.call('HLEN', pools) * 2 - 1 do
  for i, head in ipairs(heads_of(line)) do
    local record = i <= most and redis.call('HGET', entries, head[1])
    if record then waiting[#waiting + 1] = {line, head[1], cmsgpack.unpack(record)} end
  end
end
for _, member in ipairs(redis.call('ZRANGE', due, 0, most * 4)) do
  local hold = #ends < most and string.match(member, '^h:(.*)$')
  local record = hold and redis.call('HGET', holds, hold)
  if record then ends[#ends + 1] = {hold, cmsgpack.unpack(record)} end
end
return cmsgpack.pack({'AHEAD', waiting, ends})
