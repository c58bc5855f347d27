--[[
answer_beginning -- remember what a fan's key made, as `answer` does, and count it: whatever is remembered
takes memory, so it uses up the fan's pace. `field`: the fan, a colon, the key.
--]]
local function answer_beginning(t, fan, field, body, id)
  t.answers[field] = id .. '|' .. body
  local first = t.first_till
  if first then
    local paced = t.paced
    local used = paced[fan]
    paced[fan], t.begun = used and used > t.now and used + t.rules.pace_ms or first, true
  end
end
