#!lua flags=allow-oom
--[[
point -- so many points have some fans now, by the books that are kept of them elsewhere: the newest total of each. It is
his open entry that has them, and they give it a second place, in the boost lane; it keeps its place in the base lane.
What was told before changes nothing, in whatever order it comes. A guest who became a person is asked about as that person.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  rows       msgpack: {fan, number in his book, points, why}, 1 to 100; why: friend, mission, collector, taken_back
RETURNS
  POINTED      seq, of each row what became of it: pointed; same (as much is known of his book); no_entry (he stands in no
               line: tell it again when he does); fixed (no points are given any more); over (the drop is)
  BAD_MESSAGE  why: a row is out of bounds, or there are none or too many
  FROZEN       the books do not add up
  AGAIN        more was due than one script settles; send it again
  NOT_FOUND    no such drop
COST  O(r p log n), r = rows, p = pools that their entries name, n = entries of the drop
--]]
--#use begin_command owner_of get open_entry prefetch_rows points_fixed rerank emit commit

local clock_ms, rows = tonumber(ARGV[1]), cmsgpack.unpack(ARGV[2])
local ROWS_MAX = 100
local WHY = {friend = true, mission = true, collector = true, taken_back = true}
local OVER = {closing = true, settled = true, cancelled = true}

local function fault_in_row(row)
  local book, points = row[2], row[3]
  if type(book) ~= 'number' or book % 1 ~= 0 or book < 1 then return 'number must be a whole number from 1' end
  if type(points) ~= 'number' or points % 1 ~= 0 or points < 0 or points > POINTS then
    return 'points must be 0 to ' .. POINTS
  end
  if not WHY[row[4]] then return 'why is no reason for points' end
end

local fault
if #rows < 1 or #rows > ROWS_MAX then fault = 'rows must be 1 to ' .. ROWS_MAX end
for _, row in ipairs(rows) do fault = fault or fault_in_row(row) end
local t, early = begin_command(fault, KEYS, clock_ms)
if early then return cmsgpack.pack(early) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end

local told, fans, ids = {}, {}, {}
for i, row in ipairs(rows) do fans[i] = row[1] end
prefetch_rows(t, 'fans', fans)
for i, name in ipairs(fans) do
  fans[i] = owner_of(t, name)
  for _, id in ipairs((get(t, 'fans', fans[i]) or {[F_ENTRIES] = {}})[F_ENTRIES]) do ids[#ids + 1] = id end
end
if ids[1] then prefetch_rows(t, 'entries', ids) end

local fixed = points_fixed(t)
local function pointed(fan_id, book, points, why)
  if OVER[t.state] then return 'over' end
  local fan = get(t, 'fans', fan_id)
  local id, entry
  if fan then id, entry = open_entry(t, fan) end
  if not id then return fixed and 'fixed' or 'no_entry' end
  if book <= (entry[E_BOOK] or 0) then return 'same' end
  if fixed and points > entry[E_POINTS] then return 'fixed' end
  rerank(t, id, entry, points, book, entry[E_MADE_GOOD] or 0)
  emit(t, 'pointed', fan_id, '"entry":"' .. id .. '","points":' .. points .. ',"book":' .. string.format('%d', book)
    .. ',"why":"' .. why .. '"')
  return 'pointed'
end
for i, row in ipairs(rows) do told[i] = pointed(fans[i], row[2], row[3], row[4]) end
if not commit(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'POINTED', t.seq, told})
