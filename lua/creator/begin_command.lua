--[[
begin_command -- what every command of a creator begins with: its fields are within their bounds, there is such a
drop, and what is due is settled. fault: what is wrong with a field, or nil. Returns the transaction; or nil and
the script's reply.
--]]
--#use begin catch_up

local function begin_command(fault, keys, clock_ms)
  if fault then return nil, {'BAD_MESSAGE', fault} end
  local t = begin(keys, clock_ms)
  if not t then return nil, {'NOT_FOUND'} end
  local wait = catch_up(t)
  if wait then return nil, {wait} end
  return t
end
