--[[
tell_begun -- the event of a payment that begins. `key`: of its fan's command, '' where it was begun before there were
payments.
--]]
--#use emit fields

local function tell_begun(t, id, payment, key)
  emit(t, 'payment_begun', payment[M_FAN], '"holds":["' .. table.concat(payment[M_HOLDS], '","') .. '"],'
    .. fields('key', key, 'payment', id, 'way', payment[M_WAY], 'amount', payment[M_AMOUNT], 'all', payment[M_ALL],
      'provider', payment[M_PROVIDER]))
end
