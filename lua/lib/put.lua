--[[
put -- keep a new or changed record for `commit`.
--]]
local function put(t, kind, id, record)
  t.record[kind][id] = record
  t.dirty[kind][id] = true
end
