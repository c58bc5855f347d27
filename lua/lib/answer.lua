--[[
answer -- remember what a key of a fan made, so that a repeat makes nothing. `field`: whose key it is, a
colon, the key.
--]]
local function answer(t, field, body, id)
  t.answers[field] = id .. '|' .. body
end
