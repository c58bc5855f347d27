--[[
unwind_cancelled -- a cancelled drop ends its holds, whenever they were due, and then refunds its orders; at
most so many things, and true when there are more. What else was due has no meaning any more. What a change
that was written only by half had ended already, as the log tells, is not ended anew: what it still owed is
written.
--]]
--#use get end_hold refund_order still_held payment_of ask_to_cancel given_back owe_refund owe_back

-- Returns whether its order is to be refunded: it is among the sales from now on, the last of them.
local function finish_half(t, id, hold)
  local sold = hold[H_STATE] == 'sold'
  local payment_id, payment
  if hold[H_BEGAN] ~= 0 then payment_id, payment = payment_of(t, id, hold) end
  if payment and payment[M_STATE] ~= 'open' and payment[M_AMOUNT] > 0 then ask_to_cancel(t, payment_id, payment) end
  t.zset.due['h:' .. id] = false
  if sold then t.zset.sales[id] = t.seq end
  return sold
end

local function unwind_cancelled(t, most)
  local rows = redis.call('ZRANGE', t.key.due, 0, most)
  local more = #rows > most
  for i = 1, math.min(#rows, most) do
    local hold_id = string.match(rows[i], '^h:(.*)$')
    local hold = hold_id and get(t, 'holds', hold_id)
    if not hold then
      t.zset.due[rows[i]] = false
    elseif still_held(hold) then
      end_hold(t, hold_id, hold, 'cancelled', '')
    else
      more = finish_half(t, hold_id, hold) or more
    end
  end
  if more then return true end
  local left = most - #rows
  local sales = redis.call('ZRANGE', t.key.sales, 0, left)
  for i = 1, math.min(#sales, left) do
    local order = get(t, 'orders', sales[i])
    if given_back(order) then
      t.zset.sales[sales[i]] = false
      if (order[O_PAYMENT] or '') == '' then owe_refund(t, sales[i], order) else owe_back(t, sales[i], order) end
    else
      refund_order(t, sales[i], order, 'creator', '', '')
    end
  end
  return #sales > left
end
