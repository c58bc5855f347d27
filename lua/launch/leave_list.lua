--[[
leave_list -- an entry ends that has no arrival yet. Before the seal it is struck off the list; what is sealed stays,
and chance gives it an arrival at which nobody stands.
--]]
--#use entered

local function leave_list(t, entry)
  if t.state ~= 'lobby' then return end
  entry[E_TICKETS] = 0
  t.entered = entered(t) - 1
  t.drop.entered = t.entered
end
