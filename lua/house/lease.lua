#!lua flags=allow-oom
--[[
lease -- who does a job for all workers: taken when it is free, kept by whoever has it, never taken away. A
server whose memory is full must still let somebody do what was begun.

KEYS
  lease   string   who has it; runs out by itself
ARGV
  who
  ms      from now
RETURNS
  LEASED   it is his for so long
  TAKEN    another has it
COST  O(1)
--]]

local lease = KEYS[1]
local who, ms = ARGV[1], ARGV[2]

local holder = redis.call('GET', lease)
if holder and holder ~= who then return cmsgpack.pack({'TAKEN'}) end

redis.call('SET', lease, who, 'PX', ms)
return cmsgpack.pack({'LEASED'})
