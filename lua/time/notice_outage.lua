--[[
notice_outage -- time in which no script of the drop ran does not count against holds and offers: the drop's own
time goes on from the mark that the last one left. Each script leaves one when it is old; the settler sees to it
that there always is one.
--]]
--#use tell_time move_lead by_clock fields emit

local MARK_MS, OUTAGE_MS = 1000, 10000
local GOING_ON = {live = true, paused = true, closing = true}
local OVER = {settled = true, cancelled = true, frozen = true}

local function notice_outage(t)
  if not t.marked or OVER[t.state] then return end
  local silent = t.clock - t.ran
  -- Below nothing: the clock was set back.
  if silent >= MARK_MS or silent < 0 then t.wake.ran = t.clock end
  if silent < OUTAGE_MS or t.ran == 0 then return end
  t.gap, t.wake.gap = t.clock, t.clock
  if GOING_ON[t.state] then
    tell_time(t, math.max(t.ran + t.lead, t.last))
    local lead = move_lead(t)
    emit(t, 'realigned', nil, by_clock(t) .. ',' .. fields('lead', lead, 'why', 'outage'))
  end
end
