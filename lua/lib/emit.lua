--[[
emit -- append one event to the log. `body` is the JSON of its own fields without braces, '' for none;
`fan` is the fan whose state it changes, or nil. The log's length is the only version screens know.
--]]
--#use fields fan_of digits packed

local function emit(t, name, fan, body)
  local seq = t.seq + 1
  local seq_packed = PACK(seq)
  t.seq, t.seq_packed = seq, seq_packed
  local who = ''
  if fan then
    fan_of(t, fan)[F_SEQ] = seq
    t.dirty.fans[fan] = true
    t.mail[fan] = seq_packed
    who = ',"fan":"' .. fan .. '"'
  end
  -- One concatenation: each further one would copy the whole text again.
  t.log[seq - t.seq_was] = '{"e":"' .. name .. '","seq":' .. digits(seq) .. ',"at":' .. t.now_text
    .. who .. (body == '' and '' or ',') .. body .. '}'
end
