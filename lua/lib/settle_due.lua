--[[
settle_due -- decide everything whose time has come, oldest first, at most 64 things. Returns true when
more is due: then the script decides nothing else and answers AGAIN.
--]]
--#use fields get put move by_clock emit end_hold look_up refresh refund_order

local DUE_MAX = 64

local function settle_due(t)
  if t.state == 'frozen' then return false end
  local rows
  if t.state == 'cancelled' then
    rows = redis.call('ZRANGE', t.key.due, 0, DUE_MAX)
  else
    rows = redis.call('ZRANGEBYSCORE', t.key.due, '-inf', t.now, 'LIMIT', 0, DUE_MAX + 1)
  end
  for i = 1, math.min(#rows, DUE_MAX) do
    local kind, id = string.sub(rows[i], 1, 2), string.sub(rows[i], 3)
    if kind == 'h:' then
      local hold = get(t, 'holds', id)
      if t.state == 'cancelled' then
        end_hold(t, id, hold, 'cancelled', '')
      elseif hold[H_STATE] == 'paying' and hold[H_LOOKED] == 0 then
        look_up(t, id, hold)
      else
        end_hold(t, id, hold, 'expired', '')
      end
    else
      t.zset.due[rows[i]] = false
      if t.state == 'cancelled' then
        -- What else was due has no meaning any more.
      elseif kind == 'e:' then
        local entry = get(t, 'entries', id)
        entry[E_COOL_MS] = 0
        put(t, 'entries', id, entry)
        refresh(t, entry[E_FAN], false)
      elseif rows[i] == 'open' and t.state == 'scheduled' then
        move(t, 'live')
        emit(t, 'opened', nil, by_clock(t))
      elseif rows[i] == 'close' and (t.state == 'live' or t.state == 'paused') then
        move(t, 'closing')
        emit(t, 'closed', nil, by_clock(t))
      end
    end
  end
  if #rows > DUE_MAX then return true end
  if t.state == 'cancelled' then
    local sales = redis.call('ZRANGE', t.key.sales, 0, DUE_MAX)
    for i = 1, math.min(#sales, DUE_MAX) do
      refund_order(t, sales[i], get(t, 'orders', sales[i]), 'creator', '')
    end
    return #sales > DUE_MAX
  end
  if t.state == 'closing' then
    for _, pool in pairs(t.record.pools) do
      if pool[P_HELD] > 0 then return false end
    end
    move(t, 'settled')
    emit(t, 'settled', nil, '')
  end
  return false
end
