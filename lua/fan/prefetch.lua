--[[
prefetch -- read what a batch of commands will ask for in one call per key: the fans, the holds they
name, and the answers their keys got before.
--]]
--#use unpacked

local function prefetch_records(t, kind, ids)
  if #ids == 0 then return end
  local rows = redis.call('HMGET', t.key[kind], unpack(ids))
  local cache = t.record[kind]
  for i = 1, #ids do
    local id, raw = ids[i], rows[i]
    if cache[id] == nil then cache[id] = raw and unpacked(raw, kind) or false end
  end
end

local function prefetch(t, commands)
  t.prefetched = true
  local fans, holds, fields = {}, {}, {}
  for i = 1, #commands do
    local c = commands[i]
    fans[i] = c[2]
    if c[7] then
      fields[#fields + 1] = c[7]
    elseif c[1] ~= 'leave' then
      holds[#holds + 1] = c[4]
    end
  end
  prefetch_records(t, 'fans', fans)
  prefetch_records(t, 'holds', holds)
  if #fields > 0 then
    local rows, stored = redis.call('HMGET', t.key.answers, unpack(fields)), t.stored
    for i = 1, #fields do
      if rows[i] then stored[fields[i]] = rows[i] end
    end
  end
end
