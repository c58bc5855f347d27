--[[
relist -- a drop that was written by half is called off, and nobody repaired it: whatever stands is among what
is ended, and whatever was sold among what is refunded. What the log told is in the records, which are written
before the sets; a refund whose duty was not written any more is owed, and a charge that bought something is known.
--]]
--#use unpacked get still_held owe_refund duty_of

local function each_of(t, kind, look)
  local rows = redis.call('HGETALL', t.key[kind])
  for i = 1, #rows, 2 do look(rows[i], unpacked(rows[i + 1], kind)) end
end

-- What is owed of an order of a payment whose refund was decided last.
local function owe_back(t, id, order)
  local payment_id = order[O_PAYMENT]
  local payment = get(t, 'payments', payment_id)
  for n = 1, payment[M_BACKS] do
    local duty = duty_of(t, 'refund:' .. payment_id .. ':' .. n)
    if duty and duty[D_HOLD] == id then return end
  end
  t.outbox['refund:' .. payment_id .. ':' .. payment[M_BACKS]] = DutyRecord{
    kind = 'refund', hold = id, charge = order[O_CHARGE], amount = order[O_AMOUNT], at_ms = t.now,
    currency = '', payment = payment_id,
  }
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
    if state == 'refund_pending' then
      if payment_id == '' then
        if not redis.call('HGET', t.key.outbox, 'refund:' .. charge) then owe_refund(t, id, order) end
      else
        owe_back(t, id, order)
      end
    elseif state ~= 'refunded' and state ~= 'refund_failed'
      and not redis.call('ZSCORE', t.key.sales, id) then
      -- What was written last was sold last.
      t.zset.sales[id] = t.seq
    end
  end)
  for charge, ids in pairs(bought) do
    local payment = get(t, 'payments', ids.payment)
    table.sort(ids, function(a, b) return tonumber(string.sub(a, 2)) < tonumber(string.sub(b, 2)) end)
    t.charges[charge] = 'paid|' .. ids.payment .. '|' .. table.concat(ids, ',') .. '|' .. string.format('%d', payment[M_KEPT])
  end
end
