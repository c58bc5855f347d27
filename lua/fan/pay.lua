--[[
pay -- {verb, fan, key, holds, way, {provider, all}}: begin one payment for some holds, by one of the drop's ways. It gives
time to finish it, within bounds that a fan cannot stretch by pressing again; one by hand has the hours of the rules. The
same holds in an open payment are answered by that one.
--]]
--#use fan_of own_hold still_held ended_as may_go_on unclaimed claim_offer put emit by_hand payment_of
--#use new_payment put_in_payment tell_begun way_of unit_price hand_room told_payment

-- His holds, in the order named; or why they cannot be paid.
local function holds_of(t, fan_id, ids)
  local holds, seen = {}, {}
  for i, id in ipairs(ids) do
    holds[i] = not seen[id] and own_hold(t, fan_id, id) or nil
    if not holds[i] then return nil, {'NOT_FOUND'} end
    seen[id] = true
  end
  local refusal = may_go_on(t)
  if refusal then return nil, {refusal} end
  for i, id in ipairs(ids) do
    if not still_held(holds[i]) then return nil, {'HOLD_EXPIRED', ended_as(t, id, holds[i])} end
  end
  return holds
end

-- The open payment that some of these are in, and whether it is for all of them and no other.
local function open_payment(t, ids, holds)
  local found, record, count = nil, nil, 0
  for i, hold in ipairs(holds) do
    local id, payment
    if hold[H_STATE] == 'paying' then id, payment = payment_of(t, ids[i], hold) end
    if payment and payment[M_STATE] == 'open' then
      found, record = found or id, record or payment
      if found == id then count = count + 1 end
    end
  end
  return found, record, found and count == #ids and count == #record[M_HOLDS]
end

-- By when a hold is paid, by its provider.
local function deadline_of(t, hold, provider, way)
  local rules = t.rules
  if provider == 'by_hand' then return t.now + rules.hand_ms end
  if provider == 'cash' then return math.max(hold[H_DEADLINE_MS], way.until_ms + t.lead) end
  return math.max(hold[H_DEADLINE_MS], math.min(t.now + rules.pay_ms, hold[H_START_MS] + 2 * rules.hold_ms + rules.pay_ms))
end

local function pay(t, c)
  local fan_id, key, ids, way_id, provider, all = c[2], c[3], c[4], c[5], c[6][1], c[6][2]
  local holds, refusal = holds_of(t, fan_id, ids)
  if refusal then return refusal end
  local was = fan_of(t, fan_id)[F_SEQ]
  local id, payment, same = open_payment(t, ids, holds)
  if same then return told_payment(t, id, payment, was) end
  if id then return {'PAYING_ALREADY', id} end
  local way
  way, refusal = way_of(t, way_id, holds)
  refusal = refusal or by_hand(provider) and hand_room(t, holds, provider, way)
  if refusal then return refusal end

  local amount, first = way and way.amount or 0, nil
  for i, hold in ipairs(holds) do
    if unclaimed(hold) then claim_offer(t, ids[i], hold, key) end
    amount = amount + hold[H_QTY] * unit_price(hold, way)
  end
  id, payment = new_payment(t, fan_id, ids, way_id, amount, all, provider)
  tell_begun(t, id, payment, key)
  for i, hold in ipairs(holds) do
    hold[H_BEGAN], hold[H_STATE] = 1, 'paying'
    hold[H_DEADLINE_MS] = deadline_of(t, hold, provider, way)
    put_in_payment(t, ids[i], hold, id)
    if by_hand(provider) then
      local pool = t.record.pools[hold[H_POOL]]
      pool[P_HAND] = pool[P_HAND] + hold[H_QTY]
      put(t, 'pools', hold[H_POOL], pool)
    end
    first = math.min(first or hold[H_DEADLINE_MS], hold[H_DEADLINE_MS])
    t.zset.due['h:' .. ids[i]] = hold[H_DEADLINE_MS]
    emit(t, 'paying', fan_id, '"key":"' .. key .. '","hold":"' .. ids[i] .. '","deadline":'
      .. string.format('%d', hold[H_DEADLINE_MS]))
  end
  payment[M_DEADLINE_MS] = first
  return told_payment(t, id, payment, was)
end
