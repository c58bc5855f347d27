--[[
serials_of -- the numbers of the next units of an item: those that came back first, lowest first, then
new ones.
--]]
--#use get put

local function serials_of(t, item_id, qty)
  local item = get(t, 'items', item_id)
  local serials = {}
  local back = redis.call('ZRANGEBYLEX', t.key.returned, '[' .. item_id .. '/', '(' .. item_id .. '0',
    'LIMIT', 0, qty)
  for i, member in ipairs(back) do
    serials[i] = tonumber(string.sub(member, #item_id + 2))
    t.zset.returned[member] = false
  end
  for i = #serials + 1, qty do
    item[I_SERIAL] = item[I_SERIAL] + 1
    serials[i] = item[I_SERIAL]
  end
  put(t, 'items', item_id, item)
  return serials
end
