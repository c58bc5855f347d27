--[[
basket_in_words -- a basket as a text, to tell a repeat from another command under the same key: how much of each is wanted
stands in it (`answers_press` reads that), the pools where they are few.
--]]
local PLAIN_CHARS_MAX = 40

local function basket_in_words(all, wants)
  local units, pools = {}, {}
  for i = 1, #wants do
    local want = wants[i]
    local listed = want[1]
    units[i] = want[3] == 1 and want[2] .. '*' or want[2]
    pools[i] = listed[2] and table.concat(listed, ',') or listed[1]
  end
  local named = table.concat(pools, ';')
  if #named > PLAIN_CHARS_MAX then named = redis.sha1hex(named) end
  return 'basket|' .. all .. '|' .. table.concat(units, ',') .. '|' .. named
end
