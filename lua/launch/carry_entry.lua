--[[
carry_entry -- a place of an earlier drop is one of this drop, where its fan is known, has none here yet, and a pool of it is
here too. It is not called before its fan has confirmed it. row: {entry there, fan here or '', units, pools}.
--]]
--#use get fan_of enter_line

local function carry_entry(t, row)
  local of, fan_id, qty, wanted = row[1], row[2], row[3], row[4]
  local pools = {}
  for _, pool_id in ipairs(wanted) do
    local pool = t.record.pools[pool_id]
    if pool then
      pools[#pools + 1] = pool_id
      qty = math.min(qty, get(t, 'items', pool[P_ITEM])[I_MOST])
    end
  end
  if fan_id == '' or not pools[1] or fan_of(t, fan_id)[F_ENTRIES][1] then return end
  enter_line(t, fan_id, '', qty, pools, 'carried', nil, of)
end
