--[[
conclude_command -- a creator's command is decided: the next revision, its answer, who did what, its event,
and the line is served. What follows `name` are more fields of the event. Returns the script's reply.
--]]
--#use answer command_field emit fields conclude

local function conclude_command(t, by, key, body, name, ...)
  t.revision = t.revision + 1
  t.drop.what, t.drop.by = name, by
  answer(t, command_field(t.key.answers, by, key), body, tostring(t.revision))
  emit(t, name, nil, fields('by', by, 'key', key, 'revision', t.revision, ...))
  if not conclude(t) then return {'FROZEN'} end
  return {'CHANGED', t.seq, t.revision, t.state}
end
