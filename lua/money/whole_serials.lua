--[[
whole_serials -- the serials that a command names among some, in the order of those; none are all of them. Nil where one is
not among them, or named twice.
--]]

local function whole_serials(named, all)
  if not named[1] then return all end
  local wanted, found = {}, {}
  for _, serial in ipairs(named) do wanted[serial] = true end
  for _, serial in ipairs(all) do
    if wanted[serial] then found[#found + 1] = serial end
  end
  return #found == #named and found or nil
end
