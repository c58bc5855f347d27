--[[
fan_of -- what a fan has; an empty record for a fan who was never seen, not stored until `emit`.
--]]
--#use get

local function fan_of(t, fan)
  local record = t.record.fans[fan] or get(t, 'fans', fan)
  if not record then
    record = FanRecord{
      seq = 0, used = 0, makegood = 0, holds = {}, entries = {}, orders = {}, last = '',
    }
    t.record.fans[fan] = record
  end
  return record
end
