--[[
counts_around -- what is kept of a wider network, read once: each network in it and what that counts, one after the other.
The wider one counts as much as all of them.
--]]
local ONE_AND_COUNT = '(n' .. string.rep('.', 15) .. ')(%d+)'

local function counts_around(t, around, row)
  if t.members[around] then return end
  local members, sum = {}, 0
  for name, count in string.gmatch(row, ONE_AND_COUNT) do
    members[#members + 1], t.counted[name] = name, tonumber(count)
    sum = sum + count
  end
  t.members[around], t.counted[around] = table.concat(members), sum
end
