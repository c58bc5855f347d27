#!lua flags=allow-oom
--[[
came_back -- units of an order that were given back after they were handed over came back in order: they are free, with
their serials, and go to the line. It names its order and needs no revision.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  order      an order has the id of its hold
  by         who commands
  key        idempotency key
  serials    msgpack: of the units, none for all that are out
RETURNS
  CAME_BACK    hold, seq; a repeat too
  KEY_REUSED   the key was used for another command
  BAD_MESSAGE  why: a field is not within its bounds
  AGAIN        more was due than one script settles; send it again
  FROZEN       the books do not add up
  NOT_FOUND    no such drop or order, or these units of it are not out
COST  O(log n + s), n = holds and entries, s = units of the order
--]]
--#use fault_in_came_back begin_command conclude get put emit fields answer answered command_field
--#use whole_serials return_serials remove_value

local clock_ms, id, by, key, serials_packed = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local t, early = begin_command(fault_in_came_back(by, key, id), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end
local named = cmsgpack.unpack(serials_packed)
local field, body = command_field(t.key.answers, by, key), 'came_back|' .. id
if named[1] then body = body .. '|' .. redis.sha1hex(table.concat(named, ',')) end
local made = answered(t, field, body)
if made == nil then return cmsgpack.pack({'KEY_REUSED'}) end
if made then return cmsgpack.pack({'CAME_BACK', id, t.seq}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local order = get(t, 'orders', id)
local serials = order and whole_serials(named, order[O_AWAY] or {})
if not serials or not serials[1] then return cmsgpack.pack({'NOT_FOUND'}) end

local pool, qty = t.record.pools[order[O_POOL]], #serials
pool[P_WITHHELD], pool[P_AWAY], pool[P_FREE] = pool[P_WITHHELD] - qty, pool[P_AWAY] - qty, pool[P_FREE] + qty
put(t, 'pools', order[O_POOL], pool)
return_serials(t, pool[P_ITEM], serials)
local told = table.concat(serials, ',')
-- It may be the order's own list that is told.
for _, serial in ipairs({unpack(serials)}) do remove_value(order[O_AWAY], serial) end
put(t, 'orders', id, order)
answer(t, field, body, id)
emit(t, 'came_back', order[O_FAN], '"serials":[' .. told .. '],'
  .. fields('hold', id, 'pool', order[O_POOL], 'qty', qty, 'by', by, 'key', key))
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'CAME_BACK', id, seq})
