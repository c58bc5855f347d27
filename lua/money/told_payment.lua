--[[
told_payment -- the outcome of a command about an open payment: it, and its holds as they stand when the batch is done.
--]]
--#use told_hold

local function told_payment(t, id, payment, was)
  local rows = {}
  for i, hold_id in ipairs(payment[M_HOLDS]) do rows[i] = {hold_id, told_hold(t, hold_id)} end
  return {'PAYING', id, payment, rows, t.seq, was}
end
