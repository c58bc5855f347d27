--[[
too_soon -- how long this fan, who has begun something, must wait before he begins something more, ms; nil: he
may begin now. What he began has used up his pace until `t.paced[fan]`, and he may be ahead of that by
`t.ahead_ms`.
--]]
local function too_soon(t, fan)
  local wait = t.paced[fan] - t.now - t.ahead_ms
  return wait > 0 and wait or nil
end
