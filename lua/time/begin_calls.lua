--[[
begin_calls -- the drop opens: from now on its line calls, and has its hours.
--]]
--#use plan_calls

local function begin_calls(t)
  if redis.call('HGET', t.key.drop, 'calls') then
    t.drop.opened = t.now - t.lead
    plan_calls(t)
  end
end
