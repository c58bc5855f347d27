#!lua
--[[
prove -- could a hold be written down now? Refused wherever the server would refuse to begin something: its
memory is full, it is a replica, its disk fails, it has too few replicas.

KEYS
  proof   string   who wrote last; runs out by itself
ARGV
  who
RETURNS
  PROVED   it is written, and on disk where the server keeps all that it acknowledges
COST  O(1)
--]]

local proof = KEYS[1]
local who = ARGV[1]

redis.call('SET', proof, who, 'PX', 60000)
return cmsgpack.pack({'PROVED'})
