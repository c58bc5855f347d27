--[[
packed -- the msgpack of a record as it stands now, kept for `commit` when the record is new or changed.
Holds, which every command writes, are joined from parts that are packed once a script: packing a table
walks it twice and costs three times as much.
--]]
--#use get packed_ids packed_hold

local function packed(t, kind, id)
  local dirty = t.dirty[kind]
  local text = dirty[id]
  if not text or text == true then
    local record = get(t, kind, id)
    text = kind == 'holds' and packed_hold(record) or PACK(record)
    if dirty[id] then dirty[id] = text end
  end
  return text
end
