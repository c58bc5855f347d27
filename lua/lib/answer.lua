--[[
answer -- remember what a key of a fan made, so that a repeat makes nothing.
--]]
local function answer(t, who, key, body, id)
  t.answers[who .. ':' .. key] = id .. '|' .. body
end
