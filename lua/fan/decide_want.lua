--[[
decide_want -- what one want of a basket gets, {pools, qty, fewer} with the liked best pool first: each pool is asked as a
press would ask it, and the first that can be had is taken. `b`: the basket, as `begin_basket` made it, which counts what
is taken. Returns the hold of the fan that is it already; or nil, the pool and how many units of it; or three times nil
and the refusal, which is that of the liked best pool.
--]]
--#use get answers_press ready_in units_of_press network_full cohort_for units_by_item

-- A hold that he had before answers one want alone; what the basket made is not among these.
local function equal_hold(t, b, mine, pool_id, qty)
  for i = 1, #mine do
    local id = mine[i]
    if not b.answering[id] and answers_press(t, b.fan_id, id, get(t, 'holds', id), pool_id, qty) then return id end
  end
end

-- Is somebody in its line ready? While nothing is told, it stays as it is.
local function line_first(t, pool_id)
  if t.lines_at ~= t.seq then t.lines, t.lines_at = {}, t.seq end
  local first = t.lines[pool_id]
  if first == nil then
    first = ready_in(t, pool_id) > 0
    t.lines[pool_id] = first
  end
  return first
end

-- Of a second choice no reason is told: most that cannot be had are passed over by a glance.
local function may_be_had(t, b, pool_id, pool, qty, least)
  local item_id = pool[P_ITEM]
  local item = get(t, 'items', item_id)
  if qty > item[I_MOST] then return false end
  if item[I_LIMIT] > 0 then
    b.units = b.units or units_by_item(t, b.fan, {})
    if item[I_LIMIT] - (b.units[item_id] or 0) < least then return false end
  end
  if pool[P_CEILINGS] and select(2, cohort_for(t, pool, b.class, least)) < least then return false end
  return not line_first(t, pool_id)
end

local function decide_want(t, b, want)
  local pools, qty, fewer, refusal = want[1], want[2], want[3] == 1, nil
  local records, mine, least = t.record.pools, b.mine, fewer and 1 or qty
  local room = t.rules.limit - b.fan[F_USED] >= least
  for i = 1, #pools do
    local pool_id = pools[i]
    local pool, held = records[pool_id], mine[pool_id]
    local equal = held and equal_hold(t, b, held, pool_id, qty)
    if equal then return equal end
    if i == 1 and not pool then
      refusal = {'NOT_FOUND'}
    elseif i == 1 or room and pool and pool[P_FREE] >= least and may_be_had(t, b, pool_id, pool, qty, least) then
      local units, why = units_of_press(t, b.fan, pool_id, pool, qty, fewer, ready_in(t, pool_id) > 0)
      if units then
        local full = t.names and network_full(t, b.fan_id)
        if full then return nil, nil, nil, full end
        if b.units then b.units[pool[P_ITEM]] = (b.units[pool[P_ITEM]] or 0) + units end
        return nil, pool_id, units
      end
      refusal = refusal or why
    end
  end
  return nil, nil, nil, refusal
end
