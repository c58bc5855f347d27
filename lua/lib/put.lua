--[[
put -- keep a new or changed record for `commit`: as a table, or as msgpack that `get` reads when somebody
asks for it.
--]]
local function put(t, kind, id, record)
  local is_text = type(record) == 'string'
  t.record[kind][id] = not is_text and record or nil
  t.dirty[kind][id] = is_text and record or true
end
