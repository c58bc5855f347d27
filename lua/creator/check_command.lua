--[[
check_command -- what every command of a creator checks first. `body` is the command in words, to tell a repeat
from another command under the same key. Returns the reply that ends the script, or nil: go on.
--]]
--#use answered command_field

local function check_command(t, revision, by, key, body)
  local made = answered(t, command_field(t.key.answers, by, key), body)
  if made == nil then return {'KEY_REUSED'} end
  if made then return {'CHANGED', t.seq, t.revision, t.state} end
  if t.state == 'frozen' and body ~= 'thaw' and not string.find(body, '^cancel') then
    return {'FROZEN'}
  end
  if tonumber(revision) ~= t.revision then
    local last = redis.call('HMGET', t.key.drop, 'what', 'by')
    return {'STALE_REVISION', t.revision, t.state, last[1] or '', last[2] or ''}
  end
  return nil
end
