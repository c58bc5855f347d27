--[[
each_standing -- every hold that stands, for `lift`: each has its deadline in `due`. `look`: (id, record).
--]]
--#use unpacked

local STANDING_AT_ONCE = 500

local function each_standing(t, look)
  local standing = {}
  for _, member in ipairs(redis.call('ZRANGE', t.key.due, 0, -1)) do
    standing[#standing + 1] = string.match(member, '^h:(.*)$')
  end
  for from = 1, #standing, STANDING_AT_ONCE do
    local to = math.min(from + STANDING_AT_ONCE - 1, #standing)
    for i, raw in ipairs(redis.call('HMGET', t.key.holds, unpack(standing, from, to))) do
      look(standing[from + i - 1], unpacked(raw, 'holds'))
    end
  end
end
