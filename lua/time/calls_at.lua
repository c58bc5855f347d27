--[[
calls_at -- does the line call at this moment of the true clock, and until when is that so? By the wall clocks of the
drop's zone: `hours` is what was published of them, {from, to, offsets {since, ahead of UTC}}. The first hours after
its opening it calls, whatever they show.
--]]
local DAY_MS = 86400000
local AFTER_OPENING_MS = 10800000

-- The last row of the offsets that has begun by then.
local function in_force(offsets, at)
  local row = 1
  while offsets[row + 1] and offsets[row + 1][1] <= at do row = row + 1 end
  return row
end

local function shows(hours, at)
  local from, to = hours[1], hours[2]
  local row = in_force(hours[3], at)
  local wall = (at + hours[3][row][2]) % DAY_MS
  if from < to then return wall >= from and wall < to, wall, row end
  return wall >= from or wall < to, wall, row
end

local function calls_at(hours, opened, now)
  local at = math.max(now, opened + AFTER_OPENING_MS)
  local calls = at > now or shows(hours, now)
  while true do
    local shown, wall, row = shows(hours, at)
    if shown ~= calls then return calls, at end
    local turns = at + ((calls and hours[2] or hours[1]) - wall) % DAY_MS
    local later = hours[3][row + 1]
    if not later or turns < later[1] then return calls, turns end
    at = later[1]
  end
end
