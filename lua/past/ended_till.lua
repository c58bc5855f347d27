--[[
ended_till -- a moment that is a day past or more, 0 where none is known: each hold that could stand until then at
most ended a day ago. When a hold ended stands in no record; but whoever has settled what was due by a moment, and
writes that moment down, knows it of all holds a day later. It is written down once an hour.
--]]
--#use packed_ids

local HOUR_MS = 3600000

local function ended_till(t)
  local settled = cmsgpack.unpack(redis.call('HGET', t.key.wake, 'settled') or NONE)
  while settled[2] and settled[2] <= t.now - KEPT_MS do table.remove(settled, 1) end
  local known = settled[1] and settled[1] <= t.now - KEPT_MS and settled[1] or 0
  if t.now - (settled[#settled] or 0) >= HOUR_MS then
    settled[#settled + 1] = t.now
    t.wake.settled = PACK(settled)
    -- The drop's own time does not fall back behind it.
    t.wake.now = t.now_text
  end
  return known
end
