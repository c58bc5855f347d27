#!lua flags=allow-oom
--[[
order -- the next entries of a sealed list get their arrivals, in the order that chance gave them. Any worker may send any
part, as often as it likes: one that was told before changes nothing, one that comes too early is told where to go on.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  root       of the list that this is the order of, as it was told
  first      the arrival of the first of them
  ids        msgpack: entries, 500 at most
RETURNS
  PLACED        next (the arrival that comes next), entries (the last arrival that there will be)
  OTHER_ROOT    root: it is the order of another list
  OTHER_ORDER   entry: it is not in the list, or another arrival is its own
  NOT_REVEALED  nothing is revealed by which it could be ordered
  NOT_SEALED    state: nothing is being ordered
  BAD_MESSAGE   why: there are no entries, or too many
  FROZEN        the books do not add up
  AGAIN         more was due than one script settles; send it again
  NOT_FOUND     no such drop
COST  O(e log n), e = entries with the pools that they name, n = entries of the drop
--]]
--#use begin_command ordering_of fault_in_order place_entries emit commit

local clock_ms, root, first = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local ids = cmsgpack.unpack(ARGV[4])
local IDS_MAX = 500
local fault
if #ids < 1 or #ids > IDS_MAX then fault = 'ids must be 1 to ' .. IDS_MAX end
if not fault and (not first or first < 1 or first % 1 ~= 0) then fault = 'first must be a whole number from 1' end
local t, early = begin_command(fault, KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local ordering, refusal = ordering_of(t)
if refusal then return cmsgpack.pack(refusal) end
if ordering.root ~= root then return cmsgpack.pack({'OTHER_ROOT', ordering.root}) end
if ordering.revealed == '' then return cmsgpack.pack({'NOT_REVEALED'}) end
local placed, last = ordering.placed, first + #ids - 1
if first <= placed + 1 then
  local wrong = fault_in_order(t, first, ids, placed)
  if wrong then return cmsgpack.pack({'OTHER_ORDER', wrong}) end
end
if first ~= placed + 1 then return cmsgpack.pack({'PLACED', placed + 1, ordering.entries}) end

t.drop.placed = last
emit(t, 'ordered', nil, '"n":' .. first .. ',"ids":["' .. table.concat(ids, '","') .. '"]')
place_entries(t, first, ids)
if not commit(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'PLACED', last + 1, ordering.entries})
