--[[
exempted -- the networks that a creator has exempted, and the place of this one among them, or nil.
--]]
local function exempted(t, network)
  local packed = redis.call('HGET', t.key.networks, 'exempt')
  local list = packed and cmsgpack.unpack(packed) or {}
  for place, name in ipairs(list) do
    if name == network then return list, place end
  end
  return list, nil
end
