--[[
relist -- a drop that was written by half is called off, and nobody repaired it: whatever stands is among what
is ended, and whatever was sold among what is refunded. What the log told is in the records, which are written
before the sets; a refund whose duty was not written any more is owed, and a charge that bought something is known.
--]]
--#use unpacked get still_held owe_refund owe_back duty_of ask_to_cancel given_back

local function each_of(t, kind, look)
  local rows = redis.call('HGETALL', t.key[kind])
  for i = 1, #rows, 2 do look(rows[i], unpacked(rows[i + 1], kind)) end
end

local function relist(t)
  each_of(t, 'holds', function(id, hold)
    if still_held(hold) and not redis.call('ZSCORE', t.key.due, 'h:' .. id) then
      t.zset.due['h:' .. id] = hold[H_DEADLINE_MS]
    end
  end)
  local bought = {}
  each_of(t, 'orders', function(id, order)
    local state, charge, payment_id = order[O_STATE], order[O_CHARGE], order[O_PAYMENT] or ''
    if not redis.call('HGET', t.key.charges, charge) then
      if payment_id ~= '' then
        bought[charge] = bought[charge] or {payment = payment_id}
        table.insert(bought[charge], id)
      else
        t.charges[charge] = (get(t, 'holds', id)[H_STATE] == 'sold' and 'sold' or 'rescued') .. '|' .. id
      end
    end
    if given_back(order) and payment_id ~= '' then
      owe_back(t, id, order)
    elseif state == 'refund_pending' then
      if not redis.call('HGET', t.key.outbox, 'refund:' .. charge) then owe_refund(t, id, order) end
    elseif not given_back(order) and not redis.call('ZSCORE', t.key.sales, id) then
      -- What was written last was sold last.
      t.zset.sales[id] = t.seq
    end
  end)
  for charge, ids in pairs(bought) do
    local payment = get(t, 'payments', ids.payment)
    table.sort(ids, function(a, b) return tonumber(string.sub(a, 2)) < tonumber(string.sub(b, 2)) end)
    -- Who was to be asked for its money, and to take none any more, was not written down.
    if get(t, 'orders', ids[1])[O_STATE] == 'capture_pending' and not duty_of(t, 'capture:' .. ids.payment) then
      t.outbox['capture:' .. ids.payment] = DutyRecord{
        kind = 'capture', hold = payment[M_HOLDS][1], charge = charge, amount = payment[M_KEPT], at_ms = t.now,
        currency = '', payment = ids.payment,
      }
    end
    if payment[M_AMOUNT] > 0 then ask_to_cancel(t, ids.payment, payment) end
    t.charges[charge] = 'paid|' .. ids.payment .. '|' .. table.concat(ids, ',') .. '|' .. string.format('%d', payment[M_KEPT])
  end
end
