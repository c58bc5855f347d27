--[[
judge_payment -- what a charge of a payment's whole amount buys: each of its holds that stands, and for each that expired
what `buy_late` finds, in their order; with `all` nothing, where one of them cannot be had. Returns which orders it made.
--]]
--#use get standing_in close_payment sell buy_late was_late

-- Is every one to be had?
local function all_to_be_had(t, payment, standing, how)
  local plan = {held = {}, units = {}, all = 0}
  for _, id in ipairs(payment[M_HOLDS]) do
    local hold = get(t, 'holds', id)
    if not standing[id] and not (was_late(hold) and buy_late(t, id, hold, how, plan)) then return false end
  end
  return true
end

local function judge_payment(t, id, payment, how)
  local sold, standing = {}, {}
  for _, row in ipairs(standing_in(t, id, payment)) do standing[row[1]] = true end
  if payment[M_ALL] == 1 and not all_to_be_had(t, payment, standing, how) then return sold end
  if payment[M_STATE] == 'open' and next(standing) then close_payment(t, id, payment, 'paid') end
  for _, hold_id in ipairs(payment[M_HOLDS]) do
    local hold = get(t, 'holds', hold_id)
    how.intent = hold_id
    local order
    if standing[hold_id] then
      sell(t, 'sold', hold_id, hold, how)
      order = hold_id
    elseif was_late(hold) and not get(t, 'orders', hold_id) then
      order = buy_late(t, hold_id, hold, how)
    end
    sold[#sold + 1] = order
  end
  return sold
end
