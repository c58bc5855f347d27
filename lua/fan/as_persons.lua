--[[
as_persons -- the commands of a batch that come from somebody who was a guest are the person's who he became; so
is the key of each that begins something. It is known under the id it comes with, else under the person's, else
under those of his guests in the order in which he adopted them; what it makes anew is kept under the person's.
--]]
--#use get

local function kept_under(t, ids, key)
  local fields = {}
  for i, id in ipairs(ids) do fields[i] = id .. ':' .. key end
  for i, known in ipairs(redis.call('HMGET', t.key.answers, unpack(fields))) do
    if known then return fields[i] end
  end
  return fields[2]
end

local function as_persons(t, commands)
  for _, c in ipairs(commands) do
    local asks = c[2]
    local fan = get(t, 'fans', asks)
    if fan and fan[F_PERSON] then
      local person = fan[F_PERSON] ~= '' and fan[F_PERSON] or asks
      c[2] = person
      if c[7] then
        local ids = {asks, person}
        for _, guest in ipairs(get(t, 'fans', person)[F_GUESTS]) do ids[#ids + 1] = guest end
        c[7] = kept_under(t, ids, c[3])
      end
    end
  end
end
