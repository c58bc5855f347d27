#!lua flags=allow-oom
--[[
take_rows -- rows of a drop's log that stand in the books, byte for byte, leave the server of the truth: from then on
the books have the only copy. The last row stays, and every row with a command of a creator: who commanded, and in
which layout the drop was published, is asked while the books may be away.

KEYS
  drop   hash     state, seq, ...
  log    stream   as `commit` writes it
ARGV
  rows   msgpack: the numbers of the last events of some rows
  sha    SHA-1 in hex of what these rows say by the books, one text after the other
RETURNS
  TAKEN_OUT  how many rows
  DIFFERENT  a row is not there, stays, or says something else: none was taken out
  FROZEN     somebody has to look at the drop first
  NOT_FOUND  no such drop
COST  O(n), n = what the rows say
--]]
--#use refuse_newer_schema

local drop, log = KEYS[1], KEYS[2]
local rows, sha = cmsgpack.unpack(ARGV[1]), ARGV[2]

local head = redis.call('HMGET', drop, 'state', 'seq', 'schema', 'mark', 'froze', 'taken')
if not head[1] then return cmsgpack.pack({'NOT_FOUND'}) end
refuse_newer_schema(head[3])
if head[1] == 'frozen' or (head[4] or '0') ~= '0' or (head[5] or '') ~= '' then
  return cmsgpack.pack({'FROZEN'})
end
local ids, texts, taken = {}, {}, tonumber(head[6] or 0)
for i, last in ipairs(rows) do
  ids[i], taken = string.format('%d-0', last), math.max(taken, last)
  local row = redis.call('XRANGE', log, ids[i], ids[i])[1]
  if not row or last >= tonumber(head[2]) then return cmsgpack.pack({'DIFFERENT'}) end
  for j = 2, #row[2], 2 do
    local text = row[2][j]
    if string.find(text, '"revision":', 1, true) then return cmsgpack.pack({'DIFFERENT'}) end
    texts[#texts + 1] = text
  end
end
if redis.sha1hex(table.concat(texts)) ~= sha then return cmsgpack.pack({'DIFFERENT'}) end

-- Whoever reads the log asks the books for what is missing up to here; behind it a gap is a hole.
redis.call('HSET', drop, 'taken', taken)
redis.call('XDEL', log, unpack(ids))
return cmsgpack.pack({'TAKEN_OUT', #ids})
