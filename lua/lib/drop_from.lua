--[[
drop_from -- take the first `value` out of an array.
--]]
local function drop_from(array, value)
  for i = 1, #array do
    if array[i] == value then
      table.remove(array, i)
      return
    end
  end
end
