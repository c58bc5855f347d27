--[[
get -- one record of the truth as this transaction sees it, or false when there is none.
kind: pools, items, fans, holds, orders, entries.
--]]
local function get(t, kind, id)
  local record = t.record[kind][id]
  if record == nil then
    local raw = redis.call('HGET', t.key[kind], id)
    record = raw and cmsgpack.unpack(raw) or false
    t.record[kind][id] = record
  end
  return record
end
