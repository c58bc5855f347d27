--[[
prefetch -- read what a batch of commands will ask for in one call per key: the fans, the holds they
name, and the answers their keys got before.
--]]
local function prefetch_records(t, kind, ids)
  if #ids == 0 then return end
  local rows = redis.call('HMGET', t.key[kind], unpack(ids))
  local cache = t.record[kind]
  for i, id in ipairs(ids) do
    if cache[id] == nil then cache[id] = rows[i] and cmsgpack.unpack(rows[i]) or false end
  end
end

local function prefetch(t, commands)
  local fans, holds, fields = {}, {}, {}
  local seen = {}
  for _, c in ipairs(commands) do
    local fan = c[2]
    if not seen[fan] then
      seen[fan] = true
      fans[#fans + 1] = fan
    end
    if c[1] == 'hold' or c[1] == 'join' then
      fields[#fields + 1] = fan .. ':' .. c[3]
    elseif c[1] ~= 'leave' then
      holds[#holds + 1] = c[4]
    end
  end
  prefetch_records(t, 'fans', fans)
  prefetch_records(t, 'holds', holds)
  if #fields > 0 then
    local rows = redis.call('HMGET', t.key.answers, unpack(fields))
    for i, field in ipairs(fields) do t.stored[field] = rows[i] end
  end
end
