--[[
correct_paid -- the provider captured another amount of a charge that bought something than it had told, or was asked for:
`expected`. What is less is cut from the shares of its orders that stand, from the last to the first, then from the way,
then from what is owed back; what is over goes to the first, or back where none stands. Their creator decides.
--]]
--#use get put emit duty_of owner_of given_back

local function standing_of(t, orders)
  local rows = {}
  for _, id in ipairs(orders) do
    local order = get(t, 'orders', id)
    if not given_back(order) and order[O_STATE] ~= 'charged_back' then rows[#rows + 1] = {id, order} end
  end
  return rows
end

-- So much less goes back of what is owed. Refunds have numbers, and one of what was not kept has none.
local function owe_less(t, id, payment, less)
  local names = {'refund:' .. id .. ':late'}
  for n = payment[M_BACKS], 1, -1 do names[#names + 1] = 'refund:' .. id .. ':' .. n end
  for _, name in ipairs(names) do
    local duty = less > 0 and duty_of(t, name)
    if duty then
      local cut = math.min(less, duty[D_AMOUNT])
      duty[D_AMOUNT], less = duty[D_AMOUNT] - cut, less - cut
      t.outbox[name] = duty[D_AMOUNT] > 0 and duty
      local order = get(t, 'orders', duty[D_HOLD])
      if order and order[O_STATE] == 'refund_pending' then
        order[O_AMOUNT] = math.max(0, order[O_AMOUNT] - cut)
        if duty[D_AMOUNT] == 0 then order[O_STATE] = 'refunded' end
        put(t, 'orders', duty[D_HOLD], order)
      end
    end
  end
end

local function owe_more(t, id, payment, more)
  local name = 'refund:' .. id .. ':late'
  local duty = duty_of(t, name)
  t.outbox[name] = DutyRecord{
    kind = 'refund', hold = payment[M_HOLDS][1], charge = payment[M_CHARGE], amount = more + (duty and duty[D_AMOUNT] or 0),
    at_ms = duty and duty[D_AT_MS] or t.now, currency = '', payment = id,
  }
end

local function cut_shares(t, payment, rows, less)
  for i = #rows, 1, -1 do
    local order = rows[i][2]
    local cut = math.min(less, order[O_AMOUNT])
    order[O_AMOUNT], less = order[O_AMOUNT] - cut, less - cut
    payment[M_KEPT] = payment[M_KEPT] - cut
  end
  local cut = math.min(less, payment[M_WAY_KEPT])
  payment[M_WAY_KEPT], payment[M_KEPT] = payment[M_WAY_KEPT] - cut, payment[M_KEPT] - cut
  return less - cut
end

local function correct_paid(t, id, payment, charge, orders, expected, amount)
  local rows, more = standing_of(t, orders), amount - expected
  -- What was to be let go was captured.
  t.outbox['capture:' .. id], t.outbox['void:' .. charge] = false, false
  if more > 0 and rows[1] then
    rows[1][2][O_AMOUNT], payment[M_KEPT] = rows[1][2][O_AMOUNT] + more, payment[M_KEPT] + more
  elseif more > 0 then
    owe_more(t, id, payment, more)
  else
    owe_less(t, id, payment, cut_shares(t, payment, rows, -more))
  end
  for _, row in ipairs(rows) do
    row[2][O_STATE] = 'capture_failed'
    put(t, 'orders', row[1], row[2])
  end
  put(t, 'payments', id, payment)
  -- Once: whatever is told after it is no news.
  t.charges[charge] = 'paid|' .. id .. '|' .. table.concat(orders, ',') .. '|'
  emit(t, 'mismatched', owner_of(t, payment[M_FAN]), '"hold":"' .. payment[M_HOLDS][1] .. '","charge":' .. cjson.encode(charge)
    .. ',"amount":' .. string.format('%d', amount) .. ',"payment":"' .. id .. '"')
end
