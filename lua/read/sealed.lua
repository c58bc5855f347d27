#!lua flags=no-writes,allow-oom
--[[
sealed -- a part of the list that chance orders, in the order of the joins, and how far its order has come.

KEYS
  drop      hash   state, ...
  entries   hash   entry -> its record
ARGV
  from   number of the first entry to look at
  most   how many are looked at
RETURNS
  SEALED     state, seq, sealed_ms (of the true clock, 0 before the seal), root, revealed, placed (the last arrival that was given out), entries (how many stand in the
             list), randomness (as the rules name it), next (the number to go on from, 0: that was the last), rows {entry,
             its record}, how many arrivals were carried over: those of the list come behind them
  NOT_FOUND  no such drop, or its arrivals are those of time
COST  O(m), m = most
--]]
--#use refuse_newer_schema unpacked

local drop, entries = KEYS[1], KEYS[2]
local from, most = tonumber(ARGV[1]), tonumber(ARGV[2])

local d = redis.call('HMGET', drop, 'state', 'seq', 'sealed', 'root', 'revealed', 'placed', 'entered', 'arrivals',
  'randomness', 'schema', 'carried')
refuse_newer_schema(d[10] or 0)
if not d[9] then return cmsgpack.pack({'NOT_FOUND'}) end
local last = math.min(from + most - 1, tonumber(d[8]))
local ids, rows = {}, {}
for number = from, last do ids[#ids + 1] = 'e' .. number end
for i, raw in ipairs(ids[1] and redis.call('HMGET', entries, unpack(ids)) or {}) do
  local entry = raw and unpacked(raw, 'entries')
  if entry and (entry[E_TICKETS] or 0) > 0 then rows[#rows + 1] = {ids[i], entry} end
end
return cmsgpack.pack({'SEALED', d[1], tonumber(d[2]), tonumber(d[3] or 0), d[4] or '', d[5] or '', tonumber(d[6] or 0),
  tonumber(d[7]), cmsgpack.unpack(d[9]), last < tonumber(d[8]) and last + 1 or 0, rows, tonumber(d[11] or 0)})
