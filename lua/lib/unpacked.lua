--[[
unpacked -- a stored record as a table of its fields. The one byte in front says how many there are; read
without it, they come as values, and the table is made in its final size instead of growing.
--]]
local from_msgpack, cut = cmsgpack.unpack, string.sub

local function unpacked(raw)
  return {from_msgpack(cut(raw, 2))}
end
