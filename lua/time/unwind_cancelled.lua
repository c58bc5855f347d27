--[[
unwind_cancelled -- a cancelled drop ends its holds, whenever they were due, and then refunds its orders; at
most so many things, and true when there are more. What else was due has no meaning any more.
--]]
--#use get end_hold refund_order

local function unwind_cancelled(t, most)
  local rows = redis.call('ZRANGE', t.key.due, 0, most)
  for i = 1, math.min(#rows, most) do
    local hold_id = string.match(rows[i], '^h:(.*)$')
    if hold_id then
      end_hold(t, hold_id, get(t, 'holds', hold_id), 'cancelled', '')
    else
      t.zset.due[rows[i]] = false
    end
  end
  if #rows > most then return true end
  local left = most - #rows
  local sales = redis.call('ZRANGE', t.key.sales, 0, left)
  for i = 1, math.min(#sales, left) do
    refund_order(t, sales[i], get(t, 'orders', sales[i]), 'creator', '')
  end
  return #sales > left
end
