--[[
move_lead -- from this moment on the drop's own time is as far ahead of the server's clock as `t.now` is. What the
drop plans means the true clock and moves with it, and its calling hours are looked up anew; `leads` tells screens how to read what happened before.
Returns the lead, for the event.
--]]
--#use plan_calls

local PLANNED = {'open', 'close', 'lobby', 'seal', 'widen'}
local LEADS_MAX = 64
local GOES_ON = {live = true, paused = true}

local function move_lead(t)
  local lead = t.now - t.clock
  if lead ~= t.lead then
    for _, planned in ipairs(PLANNED) do
      local due = redis.call('ZSCORE', t.key.due, planned)
      if due then t.zset.due[planned] = tonumber(due) + lead - t.lead end
    end
    local leads = cmsgpack.unpack(t.leads)
    leads[#leads + 1] = {t.now, lead}
    if #leads > LEADS_MAX then table.remove(leads, 1) end
    t.lead, t.leads = lead, cmsgpack.pack(leads)
    t.drop.lead, t.drop.leads = lead, t.leads
    if GOES_ON[t.state] then plan_calls(t) end
  end
  t.wake.doubt = 0
  return lead
end
