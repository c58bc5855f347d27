#!lua flags=allow-oom
--[[
admit -- may each of these newcomers be given a ticket? Of one network so many at once, then one in each interval;
from the wider network around it four times as many. Whoever is not admitted uses nothing up. A crowd that comes
at once is asked about at once: it costs the server one write to disk.

KEYS
  near   string   us: until when the tickets of an address are used up; runs out by itself
  wide   string   the same of the network around it; another pair for each newcomer more
ARGV
  at_once   tickets of one address
  each_us   then one in each of so many us
RETURNS
  ADMITTED   for each pair of keys, in their order: 0, or in how many ms one is admitted
COST  O(n), n = newcomers
--]]

local at_once, each_us = tonumber(ARGV[1]), tonumber(ARGV[2])
local WIDER = 4

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function used_till(key) return math.max(now, tonumber(redis.call('GET', key) or 0)) end

local function use(key, till)
  redis.call('SET', key, string.format('%.0f', till), 'PX', math.ceil((till - now) / 1000))
end

local waits = {}
for i = 1, #KEYS, 2 do
  local near, wide = KEYS[i], KEYS[i + 1]
  local near_till, wide_till = used_till(near), used_till(wide)
  local wait = math.max(near_till - now - (at_once - 1) * each_us,
    wide_till - now - (at_once * WIDER - 1) * each_us / WIDER)
  if wait <= 0 then
    use(near, near_till + each_us)
    use(wide, wide_till + each_us / WIDER)
  end
  waits[#waits + 1] = math.max(0, math.ceil(wait / 1000))
end
return cmsgpack.pack({'ADMITTED', waits})
