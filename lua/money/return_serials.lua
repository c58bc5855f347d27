--[[
return_serials -- numbers of an item are to be had again, the lowest first.
--]]

local function return_serials(t, item_id, serials)
  for _, serial in ipairs(serials) do
    t.zset.returned[item_id .. '/' .. string.format('%08d', serial)] = 0
  end
end
