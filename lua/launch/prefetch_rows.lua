--[[
prefetch_rows -- read some records of one kind in one call.
--]]
--#use unpacked

local function prefetch_rows(t, kind, ids)
  local known = t.record[kind]
  for i, raw in ipairs(redis.call('HMGET', t.key[kind], unpack(ids))) do
    if known[ids[i]] == nil then known[ids[i]] = raw and unpacked(raw, kind) or false end
  end
end
