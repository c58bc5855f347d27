#!lua flags=allow-oom
--[[
admit -- may one newcomer more from this network be given a ticket? So many at once, then one in each
interval; from the wider network around it four times as many. Whoever is not admitted uses nothing up.

KEYS
  near   string   us: until when the tickets of an address are used up; runs out by itself
  wide   string   the same of the network around it
ARGV
  at_once   tickets of one address
  each_us   then one in each of so many us
RETURNS
  ADMITTED
  TOO_MANY_REQUESTS   retry_ms
COST  O(1)
--]]

local near, wide = KEYS[1], KEYS[2]
local at_once, each_us = tonumber(ARGV[1]), tonumber(ARGV[2])
local WIDER = 4

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function used_till(key) return math.max(now, tonumber(redis.call('GET', key) or 0)) end

local near_till, wide_till = used_till(near), used_till(wide)
local wait = math.max(near_till - now - (at_once - 1) * each_us,
  wide_till - now - (at_once * WIDER - 1) * each_us / WIDER)
if wait > 0 then return cmsgpack.pack({'TOO_MANY_REQUESTS', math.ceil(wait / 1000)}) end

local function use(key, till)
  redis.call('SET', key, string.format('%.0f', till), 'PX', math.ceil((till - now) / 1000))
end

use(near, near_till + each_us)
use(wide, wide_till + each_us / WIDER)
return cmsgpack.pack({'ADMITTED'})
