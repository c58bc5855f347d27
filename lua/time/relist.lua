--[[
relist -- a drop that was written by half is called off, and nobody repaired it: whatever stands is among what
is ended, and whatever was sold among what is refunded. What the log told is in the records, which are written
before the sets; a refund whose duty was not written any more is owed, and a charge that bought something is known.
--]]
--#use unpacked get still_held owe_refund

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
  each_of(t, 'orders', function(id, order)
    local state, charge = order[O_STATE], order[O_CHARGE]
    if not redis.call('HGET', t.key.charges, charge) then
      t.charges[charge] = (get(t, 'holds', id)[H_STATE] == 'sold' and 'sold' or 'rescued') .. '|' .. id
    end
    if state == 'refund_pending' then
      if not redis.call('HGET', t.key.outbox, 'refund:' .. charge) then owe_refund(t, id, order) end
    elseif state ~= 'refunded' and state ~= 'refund_failed'
      and not redis.call('ZSCORE', t.key.sales, id) then
      -- What was written last was sold last.
      t.zset.sales[id] = t.seq
    end
  end)
end
