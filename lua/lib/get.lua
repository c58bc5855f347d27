--[[
get -- one record of the truth as this transaction sees it, or false when there is none.
kind: pools, items, fans, holds, orders, entries, payments.
--]]
--#use unpacked

local function get(t, kind, id)
  local record = t.record[kind][id]
  if record == nil then
    -- What this script wrote as msgpack is newer than what is stored.
    local raw = t.dirty[kind][id] or redis.call('HGET', t.key[kind], id)
    record = raw and unpacked(raw, kind) or false
    t.record[kind][id] = record
  end
  return record
end
