--[[
buy_late -- what a payment buys that began in time and came after the end of its hold: the first of the fan's equal
holds (one that is not being paid for, an offer, one that is), else free units that nobody stands ahead for. An
offer that the hold's own entry has got since goes back for that, and counts as if it were back. Returns the reply
of `succeeded`, nil when it buys nothing.
--]]
--#use get fan_of owner_of unclaimed units_allowed stands_ahead end_hold sell cohort_for class_of count_cohort

local ACTIVE, OFFER, PAYING = 1, 2, 3

-- The fan's own money is asked for last: what it pays for would go back as a second payment.
local function equal_hold(t, fan, hold)
  local equal, best
  for _, id in ipairs(fan[F_HOLDS]) do
    local other = get(t, 'holds', id)
    if other[H_POOL] == hold[H_POOL] and other[H_QTY] == hold[H_QTY] and other[H_PRICE] == hold[H_PRICE] then
      local rank = other[H_STATE] == 'paying' and PAYING or unclaimed(other) and OFFER or ACTIVE
      if not best or rank < best then equal, best = id, rank end
    end
  end
  return equal
end

local function offer_of_its_entry(t, hold)
  local entry = hold[H_ENTRY] ~= '' and get(t, 'entries', hold[H_ENTRY])
  if not entry or entry[E_STATE] ~= 'offered' then return nil end
  local offer = get(t, 'holds', entry[E_HOLD])
  if unclaimed(offer) then return entry[E_HOLD], offer end
  return nil
end

-- Are the units to be had, as if the offer were back?
local function fits(t, fan, hold, offer)
  local pool, back = t.record.pools[hold[H_POOL]], 0
  local free, cohort = pool[P_FREE], ''
  if offer then
    back = offer[H_QTY]
    if offer[H_POOL] == hold[H_POOL] then free, cohort = free + back, offer[H_COHORT] end
    fan[F_USED], offer[H_QTY] = fan[F_USED] - back, 0
  end
  count_cohort(t, pool, cohort, -back)
  local room, _, most = units_allowed(t, fan, hold[H_POOL]), cohort_for(t, pool, class_of(t, fan), hold[H_QTY])
  count_cohort(t, pool, cohort, back)
  if offer then fan[F_USED], offer[H_QTY] = fan[F_USED] + back, back end
  return math.min(free, room, most) >= hold[H_QTY]
end

local function buy_late(t, id, hold, charge, captured, card)
  local fan = fan_of(t, owner_of(t, hold[H_FAN]))
  local equal = equal_hold(t, fan, hold)
  if equal then
    sell(t, 'sold', equal, get(t, 'holds', equal), id, charge, captured, card)
    return {'SOLD', equal, t.seq}
  end
  local offer_id, offer = offer_of_its_entry(t, hold)
  if t.state == 'settled' or not fits(t, fan, hold, offer) or stands_ahead(t, hold) then return nil end
  if offer then
    local last = fan[F_LAST]
    end_hold(t, offer_id, offer, 'released', '', true)
    -- It is no loss that its fan is to be told of.
    fan[F_LAST] = last
  end
  sell(t, 'rescued', id, hold, id, charge, captured, card)
  return {'RESCUED', id, t.seq}
end
