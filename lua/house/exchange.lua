#!lua flags=allow-oom
--[[
exchange -- what the workers of a shop tell each other while somebody looks at a drop's desk: who looks at which
drops through them, and each worker's row. What was told too long ago goes. While nobody looks nothing is written,
so the question costs no disk. Operators must see a server whose memory is full; what is told is small.

KEYS
  looked   hash   drop -> until when somebody looks at it, ms
  desks    hash   worker -> until when his row counts, ms, and the row
ARGV
  who
  ms      so long what he tells is true
  looks   packed list of the drops that somebody looks at through him
  row     his own, '' for none
RETURNS
  EXCHANGED   the drops that somebody looks at, and the rows of the others
COST  O(d + w), d = drops that are looked at, w = workers
--]]

local looked, desks = KEYS[1], KEYS[2]
local who, ms, looks, row = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local till = string.format('%.0f', now + ms)

-- Reads on: what is over goes, the rest is the answer.
local function standing(key)
  local found, over, all = {}, {}, redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if tonumber(string.match(all[i + 1], '^%d+')) > now then
      found[all[i]] = all[i + 1]
    else
      over[#over + 1] = all[i]
    end
  end
  return found, over
end

local drops, old_drops = standing(looked)
local told, old_rows = standing(desks)
for _, drop in ipairs(cmsgpack.unpack(looks)) do drops[drop] = till end
local names, rows = {}, {}
for drop in pairs(drops) do names[#names + 1] = drop end
for worker, said in pairs(told) do
  if worker ~= who then rows[#rows + 1] = string.match(said, '^%d+ (.*)$') end
end
table.sort(names)

for drop, until_ms in pairs(drops) do
  if until_ms == till then redis.call('HSET', looked, drop, till) end
end
if row ~= '' then redis.call('HSET', desks, who, till .. ' ' .. row) end
for _, drop in ipairs(old_drops) do
  if drops[drop] ~= till then redis.call('HDEL', looked, drop) end
end
for _, worker in ipairs(old_rows) do
  if worker ~= who or row == '' then redis.call('HDEL', desks, worker) end
end
return cmsgpack.pack({'EXCHANGED', names, rows})
