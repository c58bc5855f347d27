--[[
duty_of -- a duty of the outbox by its id as this transaction sees it, or nil; one that cannot be read is set aside as if
it were not there.
--]]

local function duty_of(t, id)
  local decided = t.outbox[id]
  if decided ~= nil then return decided or nil end
  local raw = redis.call('HGET', t.key.outbox, id)
  local read, duty = pcall(cmsgpack.unpack, raw or '')
  return read and type(duty) == 'table' and duty or nil
end
