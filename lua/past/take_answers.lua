#!lua flags=allow-oom
--[[
take_answers -- what is remembered of the keys of holds that ended a day ago is taken out, a part at a time. The keys of
creators' commands and of entries are kept.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  cursor     0 at first, then as answered
RETURNS
  TAKEN_OUT  how many; cursor (0: that was the last part)
  AGAIN      more was due than one script settles; send it again
  FROZEN     somebody has to look at the drop first
  NOT_FOUND  no such drop
COST  O(r), r = answers of the part (about 256)
--]]
--#use begin catch_up commit get ended_till long_ended

local clock_ms, cursor = tonumber(ARGV[1]), ARGV[2]
local ROWS = 256
local OF_HOLDS = {hold = true, join = true, basket = true, swap = true}

-- Did every hold that a key made end a day ago? One that is not there any more ended longer ago still.
local function all_long_ended(t, made, till)
  local holds = 0
  for id in string.gmatch(',' .. made, ',(h%d+)') do
    local hold = get(t, 'holds', id)
    if hold and not long_ended(hold, till) then return false end
    holds = holds + 1
  end
  return holds > 0
end

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
if t.state == 'frozen' or (redis.call('HGET', t.key.drop, 'froze') or '') ~= '' then
  return cmsgpack.pack({'FROZEN'})
end
local till = ended_till(t)
local scan = redis.call('HSCAN', t.key.answers, cursor, 'COUNT', ROWS)
local rows, gone = scan[2], {}
for i = 1, #rows, 2 do
  local made, word = string.match(rows[i + 1], '^([^|]*)|(%a+)|')
  if OF_HOLDS[word] and all_long_ended(t, made, till) then gone[#gone + 1] = rows[i] end
end

commit(t)
if gone[1] then redis.call('HDEL', t.key.answers, unpack(gone)) end
return cmsgpack.pack({'TAKEN_OUT', #gone, scan[1]})
