--[[
count_offers -- count what each pool has offered and nobody claimed: layout 1 did not.
--]]
--#use unpacked unclaimed

local COUNTED_AT_ONCE = 500

local function count_offers(t)
  for _, pool in pairs(t.record.pools) do
    pool[P_OFFERED] = 0
  end
  -- Every hold that stands has its deadline in `due`.
  local standing = {}
  for _, member in ipairs(redis.call('ZRANGE', t.key.due, 0, -1)) do
    standing[#standing + 1] = string.match(member, '^h:(.*)$')
  end
  for from = 1, #standing, COUNTED_AT_ONCE do
    local to = math.min(from + COUNTED_AT_ONCE - 1, #standing)
    for _, raw in ipairs(redis.call('HMGET', t.key.holds, unpack(standing, from, to))) do
      local hold = unpacked(raw, 'holds')
      if unclaimed(hold) then
        local pool = t.record.pools[hold[H_POOL]]
        pool[P_OFFERED] = pool[P_OFFERED] + hold[H_QTY]
      end
    end
  end
end
