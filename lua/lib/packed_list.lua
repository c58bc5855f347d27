--[[
packed_list -- the msgpack of a list whose members are msgpack already.
--]]
local function packed_list(members)
  local count = #members
  return '\220' .. string.char(math.floor(count / 256), count % 256) .. table.concat(members)
end
