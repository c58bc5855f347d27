--[[
packed_ids -- the msgpack of a list of ids, most often one or none. And what all packers join their texts
from, made once a script: PART: value -> its msgpack. HEAD: length -> what stands before a string of it.
--]]
--#use memo

local PACK = cmsgpack.pack
local PART = memo(PACK)
local HEAD = memo(function(length)
  return string.sub(PACK(string.rep(' ', length)), 1, -length - 1)
end)

local NONE = PACK({})

local function packed_ids(ids)
  local first = ids[1]
  if not ids[2] then return '\145' .. HEAD[#first] .. first end
  return PACK(ids)
end
