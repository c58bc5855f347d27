--[[
emit -- append one event to the log. `body` is the JSON of its own fields without braces, '' for none;
`fan` is the fan whose state it changes, or nil. The log's length is the only version screens know.
--]]
--#use fields fan_of

local function emit(t, name, fan, body)
  t.seq = t.seq + 1
  local who = ''
  if fan then
    local record = fan_of(t, fan)
    record[F_SEQ] = t.seq
    t.dirty.fans[fan] = true
    t.mail[fan] = t.seq
    who = ',"fan":"' .. fan .. '"'
  end
  -- One concatenation: each further one would copy the whole text again.
  t.log[#t.log + 1] = '{"e":"' .. name .. '","seq":' .. string.format('%d', t.seq) .. ',"at":'
    .. t.now_text .. who .. (body == '' and '' or ',') .. body .. '}'
end
