--[[
plan_calls -- what stands in `due` is what is to come: `quiet` while the line calls, `calls` while it does not. Planned
from the true clock when the drop opens, when one of them has come and when the lead moves. A drop that never said
when it calls has neither. Returns whether it calls now and until when, by the drop's own time.
--]]
--#use calls_at

local function plan_calls(t)
  local d = redis.call('HMGET', t.key.drop, 'calls', 'opened')
  local opened = t.drop.opened or d[2]
  if not d[1] or not opened then return nil end
  local calls, till = calls_at(cmsgpack.unpack(d[1]), tonumber(opened), t.now - t.lead)
  t.quiet = not calls
  t.zset.due.quiet, t.zset.due.calls = calls and till + t.lead, not calls and till + t.lead
  return calls, till + t.lead
end
