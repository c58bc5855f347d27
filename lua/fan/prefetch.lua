--[[
prefetch -- read what a batch of commands will ask for in one call per key: the fans, the holds they
name, the answers their keys got before, and where those stand who begin something and are paced.
--]]
--#use unpacked as_persons

-- Returns whether somebody among them became a person, or is one that a guest became.
local function prefetch_fans(t, ids)
  local rows, seen, kin = redis.call('HMGET', t.key.fans, unpack(ids)), t.record.fans, false
  for i = 1, #ids do
    local id = ids[i]
    local fan = seen[id]
    if fan == nil then
      fan = rows[i] and unpacked(rows[i], 'fans') or false
      seen[id] = fan
    end
    if fan and fan[F_PERSON] then kin = true end
  end
  return kin
end

local function prefetch_records(t, kind, ids)
  if #ids == 0 then return end
  local rows = redis.call('HMGET', t.key[kind], unpack(ids))
  local cache = t.record[kind]
  for i = 1, #ids do
    local id, raw = ids[i], rows[i]
    if cache[id] == nil then cache[id] = raw and unpacked(raw, kind) or false end
  end
end

-- What was remembered of the fans who begin something, and where they stand in their pace. Whoever was never
-- seen has begun nothing: for the crowd of an opening there is nothing to read.
local function prefetch_beginners(t, commands)
  local seen, stored, paced = t.record.fans, t.stored, t.paced
  local fields, beginners, n = {}, {}, 0
  for i = 1, #commands do
    local c = commands[i]
    local field = c[7]
    if field and seen[c[2]] then
      n = n + 1
      fields[n], beginners[n] = field, c[2]
    end
  end
  if n == 0 then return end
  local rows = redis.call('HMGET', t.key.answers, unpack(fields))
  for i = 1, n do
    if rows[i] then stored[fields[i]] = rows[i] end
  end
  if not t.ahead_ms then return end
  rows = redis.call('HMGET', t.key.paces, unpack(beginners))
  for i = 1, n do
    if rows[i] then paced[beginners[i]] = tonumber(rows[i]) end
  end
end

local OF_NO_HOLD = {leave = true, confirm = true, unpay = true}

local function prefetch(t, commands)
  t.prefetched = true
  local fans, holds = {}, {}
  for i = 1, #commands do
    local c = commands[i]
    fans[i] = c[2]
    if c[1] == 'pay' then
      for _, id in ipairs(c[4]) do holds[#holds + 1] = id end
    elseif (not c[7] or c[1] == 'swap') and not OF_NO_HOLD[c[1]] then
      holds[#holds + 1] = c[4]
    end
  end
  local rules = t.rules
  -- A drop that was published before there was a pace has none.
  if (rules.pace or 0) > 0 then
    t.ahead_ms, t.first_till = (rules.pace - 1) * rules.pace_ms, t.now + rules.pace_ms
  end
  if #fans > 0 and prefetch_fans(t, fans) then as_persons(t, commands) end
  prefetch_records(t, 'holds', holds)
  prefetch_beginners(t, commands)
end
