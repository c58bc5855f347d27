--[[
fields -- the JSON of an event's own fields, without braces: name, value, name, value, ... A text goes through
the server's encoder, whoever it came from; a number is whole and written with all its digits.
--]]
local function fields(...)
  local given, parts = {...}, {}
  for i = 1, #given, 2 do
    local value = given[i + 1]
    if type(value) == 'number' then
      value = string.format('%d', value)
    else
      value = cjson.encode(value)
    end
    parts[#parts + 1] = '"' .. given[i] .. '":' .. value
  end
  return table.concat(parts, ',')
end
