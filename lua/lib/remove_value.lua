--[[
remove_value -- take the first `value` out of an array.
--]]
local function remove_value(array, value)
  local count = #array
  for i = 1, count do
    if array[i] == value then
      for j = i, count do array[j] = array[j + 1] end
      return
    end
  end
end
