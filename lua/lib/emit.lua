--[[
emit -- append one event to the log. `body` is the JSON of its own fields without braces, '' for none;
`fan` is the fan whose state it changes, or nil. The log's length is the only version screens know.
--]]
--#use fields fan_of

local function emit(t, name, fan, body)
  t.seq = t.seq + 1
  local text = '{"e":"' .. name .. '","seq":' .. t.seq .. ',"at":' .. t.now
  if fan then
    local record = fan_of(t, fan)
    record[F_SEQ] = t.seq
    t.dirty.fans[fan] = true
    t.mail[fan] = t.seq
    text = text .. ',"fan":"' .. fan .. '"'
  end
  if body ~= '' then text = text .. ',' .. body end
  t.log[#t.log + 1] = text .. '}'
end
