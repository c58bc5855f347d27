--[[
buy_late -- what a payment buys that began in time and came after the end of its hold: the first of the fan's equal
holds (one that is not being paid for, an offer, one that is), else free units that nobody stands ahead for. An
offer that the hold's own entry has got since goes back for that, and counts as if it were back. What stands in the same
payment is bought for itself. Returns which hold's order it is, nil when it buys nothing. `how`: as `sell` takes it;
`plan`: nothing is bought yet, it only counts what would be: {held: id -> true, units: pool -> free ones, all: units,
and the ids of holds that these are for}.
--]]
--#use get fan_of owner_of unclaimed units_allowed stands_ahead end_hold sell cohort_for class_of count_cohort

local ACTIVE, OFFER, PAYING = 1, 2, 3

-- The fan's own money is asked for last: what it pays for would go back as a second payment.
local function equal_hold(t, fan, hold, how, plan)
  local equal, best
  for _, id in ipairs(fan[F_HOLDS]) do
    local other = get(t, 'holds', id)
    local apart = other[H_PAYMENT] ~= how.payment and not (plan and plan.held[id])
    if apart and other[H_POOL] == hold[H_POOL] and other[H_QTY] == hold[H_QTY] and other[H_PRICE] == hold[H_PRICE] then
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
local function fits(t, fan, hold, offer, plan)
  local pool, back = t.record.pools[hold[H_POOL]], 0
  local free, cohort = pool[P_FREE], ''
  if offer then
    back = offer[H_QTY]
    if offer[H_POOL] == hold[H_POOL] then free, cohort = free + back, offer[H_COHORT] end
    fan[F_USED], offer[H_QTY] = fan[F_USED] - back, 0
  end
  count_cohort(t, pool, cohort, -back)
  -- As if what is planned were his already.
  local planned, all = plan and plan.units[hold[H_POOL]] or 0, plan and plan.all or 0
  for _, id in ipairs(plan or {}) do table.insert(fan[F_HOLDS], id) end
  fan[F_USED] = fan[F_USED] + all
  local room, _, most = units_allowed(t, fan, hold[H_POOL]), cohort_for(t, pool, class_of(t, fan), hold[H_QTY] + planned)
  fan[F_USED] = fan[F_USED] - all
  for _ in ipairs(plan or {}) do table.remove(fan[F_HOLDS]) end
  count_cohort(t, pool, cohort, back)
  if offer then fan[F_USED], offer[H_QTY] = fan[F_USED] + back, back end
  free, most = free - planned, most - planned
  return math.min(free, room, most) >= hold[H_QTY]
end

local function buy_late(t, id, hold, how, plan)
  local fan = fan_of(t, owner_of(t, hold[H_FAN]))
  local equal = equal_hold(t, fan, hold, how, plan)
  if equal then
    if plan then plan.held[equal] = true else sell(t, 'sold', equal, get(t, 'holds', equal), how) end
    return equal
  end
  local offer_id, offer = offer_of_its_entry(t, hold)
  if offer_id and plan and plan.held[offer_id] then offer_id, offer = nil, nil end
  if t.state == 'settled' or not fits(t, fan, hold, offer, plan) or stands_ahead(t, hold) then return nil end
  if plan then
    plan.units[hold[H_POOL]] = (plan.units[hold[H_POOL]] or 0) + hold[H_QTY]
    plan.all, plan[#plan + 1] = plan.all + hold[H_QTY], id
    return id
  end
  if offer then
    local last = fan[F_LAST]
    end_hold(t, offer_id, offer, 'released', '', true)
    -- It is no loss that its fan is to be told of.
    fan[F_LAST] = last
  end
  sell(t, 'rescued', id, hold, how)
  return id
end
