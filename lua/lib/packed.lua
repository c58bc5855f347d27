--[[
packed -- the msgpack of a record as it stands now, kept for `commit` when the record is new or changed.
What every command writes is joined from parts that are packed once a script: packing a table walks it
twice and costs three times as much. PART: value -> its msgpack. HEAD: length -> what stands before a
string of it. A record has at most 15 fields; one byte says how many.
--]]
--#use fields get memo

local PACK = cmsgpack.pack
local PART = memo(PACK)
local HEAD = memo(function(length)
  return string.sub(PACK(string.rep(' ', length)), 1, -length - 1)
end)

local NONE = PACK({})

local function packed_ids(ids)
  local first = ids[1]
  if not ids[2] then return '\145' .. HEAD[#first] .. first end
  return PACK(ids)
end

local function packed_fan(f, seq)
  local holds, entries, orders, last = f[F_HOLDS], f[F_ENTRIES], f[F_ORDERS], f[F_LAST]
  return '\151' .. seq .. PART[f[F_USED]] .. PART[f[F_MAKEGOOD]]
    .. (holds[1] and packed_ids(holds) or NONE) .. (entries[1] and packed_ids(entries) or NONE)
    .. (orders[1] and packed_ids(orders) or NONE) .. HEAD[#last] .. last
end

local function packed_hold(h)
  local fan, key, part = h[H_FAN], h[H_KEY], PART
  return '\158' .. HEAD[#fan] .. fan .. part[h[H_POOL]] .. part[h[H_QTY]] .. part[h[H_PRICE]]
    .. part[h[H_ORIGIN]] .. part[h[H_STATE]] .. part[h[H_START_MS]] .. part[h[H_DEADLINE_MS]]
    .. part[h[H_ENTRY]] .. part[h[H_CLAIMED]] .. part[h[H_EXTENDED]] .. part[h[H_BEGAN]]
    .. part[h[H_LOOKED]] .. HEAD[#key] .. key
end

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
