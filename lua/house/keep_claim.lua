#!lua flags=allow-oom
--[[
keep_claim -- a run of a shop goes on selling from this server.

KEYS
  claim    hash   as `lay_claim` leaves it
ARGV
  shop
  nonce
  count     of its renewals
  ms        from now, while nobody renews it
  address   where people reach it
RETURNS
  KEPT
  LOST   the server has forgotten it, or is claimed by another
COST  O(1)
--]]

local claim = KEYS[1]
local shop, nonce, count, ms, address = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]

local run = 'run:' .. nonce
if redis.call('HGET', claim, 'shop') ~= shop or not redis.call('HGET', claim, run) then
  return cmsgpack.pack({'LOST'})
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', claim, 'address', address, run, string.format('%s:%.0f', count, now + ms))
return cmsgpack.pack({'KEPT'})
