--[[
commands_of -- the commands of a batch: {verb, fan, key, three fields of the verb's own, the field of its
answer}. Read one by one: the server's own way makes tables that grow field by field. Verbs that begin
something leave an answer under their key; the others name what they go on with.
--]]
local LONG = 220
local BEGINNING = {hold = true, join = true, basket = true, swap = true}

local function commands_of(batch)
  local commands, count = {}, 0
  local read, byte = cmsgpack.unpack_limit, string.byte
  -- A list of more than 15 says its length in two more bytes.
  local at = byte(batch, 1) == LONG and 3 or 1
  if at == #batch then return commands end
  repeat
    local fields = byte(batch, at + 1) - 144
    local after, verb, fan, key, a, b, c = read(batch, fields, at + 1)
    count = count + 1
    commands[count] = {verb, fan, key, a, b, c, BEGINNING[verb] and fan .. ':' .. key}
    at = after
  until at < 0
  return commands
end
