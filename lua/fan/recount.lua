--[[
recount -- what is kept of a wider network is to be written anew, once.
--]]
local function recount(t, around)
  local recounted = t.recounted
  if recounted[around] then return end
  recounted[around], recounted[#recounted + 1] = true, around
end
