--[[
emit -- append one event to the log. `body` is the JSON of its own fields without braces, '' for none;
`fan` is the fan whose state it changes, or nil: his record is written and his screens are told, because
his seq has changed. The log's length is the only version screens know.
--]]
--#use fan_of digits packed_ids

local function emit(t, name, fan, body)
  local seq = t.seq + 1
  local last, seq_packed = seq % 10, PACK(seq)
  local before, after = '', body == '' and '' or ','
  t.seq, t.seq_packed = seq, seq_packed
  if fan then
    fan_of(t, fan)[F_SEQ], t.mail[fan] = seq, seq_packed
    before, after = ',"fan":"', '",'
  end
  -- One concatenation: each further one would copy the whole text again.
  t.log[seq - t.seq_was] = '{"e":"' .. name .. '","seq":' .. TENS[seq - last] .. NUMBER[last]
    .. ',"at":' .. t.now_text .. before .. (fan or '') .. after .. body .. '}'
end
