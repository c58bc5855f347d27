--[[
payment_named -- the payment that a provider speaks of: its id and its record. What was begun before there were payments
is called by its hold there, whatever became of that since. Nil where there is none; then the hold too, if there is one.
--]]
--#use get payment_of

-- A hold may be in another payment since.
local function first_of(t, hold_id)
  local rows = redis.call('HGETALL', t.key.payments)
  for i = 1, #rows, 2 do
    local payment = cmsgpack.unpack(rows[i + 1])
    if payment[M_PROVIDER] == '' and payment[M_HOLDS][1] == hold_id then return rows[i] end
  end
end

local function payment_named(t, name)
  local payment = get(t, 'payments', name)
  if payment then return name, payment end
  local hold = get(t, 'holds', name)
  if not hold then return nil end
  local id, found = payment_of(t, name, hold, true)
  if found and found[M_PROVIDER] ~= '' then
    local first = first_of(t, name)
    if first then return first, get(t, 'payments', first) end
  end
  return id, found, hold
end
