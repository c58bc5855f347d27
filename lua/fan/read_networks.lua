--[[
read_networks -- what the networks count that a batch comes from, in one call. `names`: for each command what its network
is called and then the wider one around it, blank where it begins nothing; `key`: the key that they were called by.
Returns the drop's own key where that is another one. Who counts nothing has nothing to read.
--]]
local NETWORK_CHARS = 13
local NOBODY = string.rep(' ', NETWORK_CHARS)

local function read_networks(t, names, key)
  if not t.networks or not names then return nil end
  local counted, asked, n, cut = {}, {'key', 'exempt'}, 2, string.sub
  for at = 1, #names, NETWORK_CHARS do
    local name = cut(names, at, at + NETWORK_CHARS - 1)
    if not counted[name] then
      counted[name], n = 0, n + 1
      asked[n] = name
    end
  end
  local rows = redis.call('HMGET', t.key.networks, unpack(asked))
  if rows[1] and rows[1] ~= key then return rows[1] end
  if not rows[1] then t.new_key = key end
  if rows[2] then
    for _, name in ipairs(cmsgpack.unpack(rows[2])) do t.exempt[name] = true end
  end
  for i = 3, n do
    if rows[i] then counted[asked[i]] = tonumber(rows[i]) end
  end
  t.counted, t.from = counted, names
  return nil
end
