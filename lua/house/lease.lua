#!lua flags=allow-oom
--[[
lease -- who does a job for all workers: taken when it is free, kept by whoever has it, never taken away. Where
the server is claimed, only by a run of that shop that lives. A server whose memory is full must still let
somebody do what was begun.

KEYS
  lease   string   who has it; runs out by itself
  claim   hash     as `lay_claim` leaves it
ARGV
  who
  ms      from now
  shop    whose worker he is
  nonce   and of which run
RETURNS
  LEASED     it is his for so long
  TAKEN      another has it
  ANOTHERS   the server is another shop's
  NOT_OURS   his run was not renewed
COST  O(1)
--]]

local lease, claim = KEYS[1], KEYS[2]
local who, ms, shop, nonce = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local claimed_by = redis.call('HGET', claim, 'shop')
if claimed_by and claimed_by ~= shop then return cmsgpack.pack({'ANOTHERS'}) end
if claimed_by then
  local till = string.match(redis.call('HGET', claim, 'run:' .. nonce) or '', ':(%d+)$')
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if not till or tonumber(till) <= now then
    return cmsgpack.pack({'NOT_OURS'})
  end
end
local holder = redis.call('GET', lease)
if holder and holder ~= who then return cmsgpack.pack({'TAKEN'}) end

redis.call('SET', lease, who, 'PX', ms)
return cmsgpack.pack({'LEASED'})
