#!lua flags=allow-oom
--[[
carry -- the next of those who waited in vain in an earlier drop get the first arrivals of this one, in the order that they had.
Any worker may send any part, as often as it likes: one that was told before changes nothing, one that comes too early is
told where to go on. A script has no SHA-256: whoever sends it has seen that the list has the hash that the rules name.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  hash       of the list
  first      the place in it of the first of these, from 1 on
  of         how many stand in it
  rows       msgpack: {entry there, fan here or '' for nobody, units, pools}, 500 at most; none of an empty list
RETURNS
  CARRIED       next (the place that comes next), of, n (how many have an arrival here)
  OTHER_LIST    hash: the rules name this one, or ''; or another length was told before
  NOT_CARRYING  state: it is too late, everything is carried over when a drop opens
  BAD_MESSAGE   why: there are no rows, too many, or some beyond the end
  FROZEN        the books do not add up
  AGAIN         more was due than one script settles; send it again
  NOT_FOUND     no such drop
COST  O(e log n), e = entries with the pools that they name, n = entries of the drop
--]]
--#use begin_command to_carry prefetch_rows carry_entry emit fields commit

local clock_ms, hash, first, of = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local rows = cmsgpack.unpack(ARGV[5])
local ROWS_MAX = 500
local fault
if not of or of < 0 or of % 1 ~= 0 then fault = 'of must be a whole number from 0' end
if not fault and (not first or first < 1 or first % 1 ~= 0) then fault = 'first must be a whole number from 1' end
if not fault and (#rows > ROWS_MAX or #rows < math.min(1, of) or first + #rows - 1 > of) then
  fault = 'rows must be 1 to ' .. ROWS_MAX .. ' of the list'
end
local t, early = begin_command(fault, KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local named = t.rules.carried
if not named or named.hash ~= hash then return cmsgpack.pack({'OTHER_LIST', named and named.hash or ''}) end
local looked, known = to_carry(t)
if not looked then
  local d = redis.call('HMGET', t.key.drop, 'of', 'carried')
  return cmsgpack.pack({'CARRIED', tonumber(d[1]) + 1, tonumber(d[1]), tonumber(d[2])})
end
if known and known ~= of then return cmsgpack.pack({'OTHER_LIST', hash}) end
if t.state ~= 'scheduled' then return cmsgpack.pack({'NOT_CARRYING', t.state}) end
if first ~= looked + 1 then return cmsgpack.pack({'CARRIED', looked + 1, of, t.arrivals}) end

local fans = {}
for i, row in ipairs(rows) do fans[i] = row[2] end
if fans[1] then prefetch_rows(t, 'fans', fans) end
for _, row in ipairs(rows) do carry_entry(t, row) end
local last = looked + #rows
t.drop.looked, t.drop.of, t.drop.carried = last, of, t.arrivals
emit(t, 'carried', nil, fields('first', first, 'last', last, 'of', of, 'n', t.arrivals))
if not commit(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'CARRIED', last + 1, of, t.arrivals})
