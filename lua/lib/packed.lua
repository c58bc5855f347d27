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

local function packed_ids(ids)
  local count, first = #ids, ids[1]
  if count == 0 then return '\144' end
  if count == 1 then return '\145' .. HEAD[#first] .. first end
  return PACK(ids)
end

local function packed_fan(t, id, f)
  local last = f[F_LAST]
  return '\151' .. (t.mail[id] or PACK(f[F_SEQ])) .. PART[f[F_USED]] .. PART[f[F_MAKEGOOD]]
    .. packed_ids(f[F_HOLDS]) .. packed_ids(f[F_ENTRIES]) .. packed_ids(f[F_ORDERS])
    .. HEAD[#last] .. last
end

local function packed_hold(_, _, h)
  local fan, key = h[H_FAN], h[H_KEY]
  return '\158' .. HEAD[#fan] .. fan .. PART[h[H_POOL]] .. PART[h[H_QTY]] .. PART[h[H_PRICE]]
    .. PART[h[H_ORIGIN]] .. PART[h[H_STATE]] .. PART[h[H_START_MS]] .. PART[h[H_DEADLINE_MS]]
    .. PART[h[H_ENTRY]] .. PART[h[H_CLAIMED]] .. PART[h[H_EXTENDED]] .. PART[h[H_BEGAN]]
    .. PART[h[H_LOOKED]] .. HEAD[#key] .. key
end

local BY_HAND = {fans = packed_fan, holds = packed_hold}

local function packed(t, kind, id)
  local dirty = t.dirty[kind]
  local text = dirty[id]
  if not text or text == true then
    local record, by_hand = get(t, kind, id), BY_HAND[kind]
    text = by_hand and by_hand(t, id, record) or PACK(record)
    if dirty[id] then dirty[id] = text end
  end
  return text
end
