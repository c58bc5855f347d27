--[[
put -- keep a new or changed record for `commit`. `t.retold`: the bytes of one that changes again may stand
in an outcome already.
--]]
local function put(t, kind, id, record)
  local dirty = t.dirty[kind]
  if dirty[id] and dirty[id] ~= true then t.retold = true end
  t.record[kind][id], dirty[id] = record, true
end
