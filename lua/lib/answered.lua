--[[
answered -- has this key of this fan made something already? Returns the id of what it made, false when
the key is new, nil when it was used for another command. `field`: whose key it is, a colon, the key.
--]]
local function answered(t, field, body)
  local stored = t.answers[field]
  if not stored then
    stored = t.stored[field]
    if not stored and not t.prefetched then stored = redis.call('HGET', t.key.answers, field) end
  end
  if not stored then return false end
  local id, was = string.match(stored, '^([^|]*)|(.*)$')
  if was ~= body then return nil end
  return id
end
