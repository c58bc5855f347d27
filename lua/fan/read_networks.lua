--[[
read_networks -- what the networks count that a batch comes from. `packed`: as msgpack, what the wider network around each
command's is called, and then each one's own, '' of who comes from nowhere that is counted; `key`: the key that they
were called by; `domains`: what each one's mail domain is called, '' of who has none or a public one, or nothing where
nobody of the batch has one. Returns the drop's own key where that is another one.
--]]
--#use counts_around

local function read_networks(t, packed, key, domains)
  if not t.counted or not packed then return nil end
  -- As values and not as a list: the table is made in its final size.
  local names = {cmsgpack.unpack(packed)}
  local commands = #names / 2
  local rows = redis.call('HMGET', t.key.networks, 'key', 'exempt', unpack(names, 1, commands))
  if rows[1] and rows[1] ~= key then return rows[1] end
  if not rows[1] then t.new_key = key end
  if rows[2] then
    t.exempt = {}
    for _, name in ipairs(cmsgpack.unpack(rows[2])) do t.exempt[name] = true end
  end
  for i = 1, commands do
    local row = rows[i + 2]
    if row then counts_around(t, names[i], row) end
  end
  t.names = names
  t.domains = domains and domains ~= '' and {cmsgpack.unpack(domains)}
  return nil
end
