--[[
in_doubt -- may the clock be wrong? Then nothing opens by it. Where nothing ran for a while it may have leapt: whoever
watches it says so within a few seconds.
--]]
local DOUBT_TOLD_MS = 5000

local function in_doubt(t)
  return t.doubt or t.clock - t.gap < DOUBT_TOLD_MS and t.clock >= t.gap
end
