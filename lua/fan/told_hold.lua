--[[
told_hold -- a hold as its fan is told it: one that lapsed and was rescued by its payment is sold to him.
--]]
--#use get ended_as

local function told_hold(t, id)
  local record = get(t, 'holds', id)
  local state = ended_as(t, id, record)
  if state == record[H_STATE] then return record end
  record = {unpack(record)}
  record[H_STATE] = state
  return record
end
