--[[
lift -- bring a drop that an older engine wrote to this layout of the truth. `commit` writes it with what is
settled, before anything is decided; from then on the older engine leaves the drop alone.
--]]
--#use unpacked unclaimed emit

local LIFTED_AT_ONCE = 500

local function lift(t)
  -- Layout 1 did not count what is offered. Every hold that stands has its deadline in `due`.
  for name, pool in pairs(t.record.pools) do
    pool[P_OFFERED], t.dirty.pools[name] = 0, true
  end
  local standing = {}
  for _, member in ipairs(redis.call('ZRANGE', t.key.due, 0, -1)) do
    standing[#standing + 1] = string.match(member, '^h:(.*)$')
  end
  for from = 1, #standing, LIFTED_AT_ONCE do
    local to = math.min(from + LIFTED_AT_ONCE - 1, #standing)
    for _, raw in ipairs(redis.call('HMGET', t.key.holds, unpack(standing, from, to))) do
      local hold = unpacked(raw, 'holds')
      if unclaimed(hold) then
        local pool = t.record.pools[hold[H_POOL]]
        pool[P_OFFERED] = pool[P_OFFERED] + hold[H_QTY]
      end
    end
  end
  t.drop.schema, t.drop.lead, t.drop.leads = SCHEMA, 0, t.leads
  emit(t, 'lifted', nil, '"was":' .. t.schema .. ',"schema":' .. SCHEMA)
  t.schema = SCHEMA
end
