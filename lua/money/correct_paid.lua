--[[
correct_paid -- the provider captured another amount of a charge that bought something than it had told, or was asked for:
`expected`. What is less is cut from the shares of its orders, from the last to the first, then from the way; what is over
goes to the first. Their creator decides.
--]]
--#use get put emit duty_of owner_of given_back

local function correct_paid(t, id, payment, charge, orders, expected, amount)
  local more = amount - expected
  for i = #orders, 1, -1 do
    local order = get(t, 'orders', orders[i])
    local now = math.max(0, order[O_AMOUNT] + more)
    if more < 0 or i == 1 then order[O_AMOUNT], more = now, more - (now - order[O_AMOUNT]) end
    if not given_back(order) and order[O_STATE] ~= 'charged_back' then order[O_STATE] = 'capture_failed' end
    put(t, 'orders', orders[i], order)
  end
  local way = math.max(0, payment[M_WAY_KEPT] + math.min(0, more))
  local kept = way
  for _, order_id in ipairs(orders) do kept = kept + get(t, 'orders', order_id)[O_AMOUNT] end
  payment[M_WAY_KEPT], payment[M_KEPT] = way, kept
  put(t, 'payments', id, payment)
  t.outbox['capture:' .. id] = false
  t.charges[charge] = 'paid|' .. id .. '|' .. table.concat(orders, ',') .. '|' .. string.format('%d', amount)
  emit(t, 'mismatched', owner_of(t, payment[M_FAN]), '"hold":"' .. payment[M_HOLDS][1] .. '","charge":' .. cjson.encode(charge)
    .. ',"amount":' .. string.format('%d', amount) .. ',"payment":"' .. id .. '"')
end
