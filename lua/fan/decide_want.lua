--[[
decide_want -- what one want of a basket gets, {pools, qty, fewer} with the liked best pool first: each pool is asked as a
press would ask it, and the first that can be had is taken. `answering`: the holds that answered a want of this basket
already; each answers one alone. Returns the hold of the fan that is it already; or nil, the pool and how many units of
it; or three times nil and the refusal, which is that of the liked best pool.
--]]
--#use get answers_press ready_in units_of_press network_full

local function equal_hold(t, fan_id, fan, pool_id, qty, answering)
  local holds = fan[F_HOLDS]
  for i = 1, #holds do
    local id = holds[i]
    -- What this basket has made is not unpacked again.
    if not answering[id] and answers_press(t, fan_id, id, get(t, 'holds', id), pool_id, qty) then return id end
  end
end

local function decide_want(t, fan_id, fan, want, answering)
  local pools, qty, fewer, refusal = want[1], want[2], want[3] == 1, nil
  for i = 1, #pools do
    local pool_id = pools[i]
    local pool = t.record.pools[pool_id]
    local equal = pool and equal_hold(t, fan_id, fan, pool_id, qty, answering)
    if equal then return equal end
    -- Of a second choice no reason is told, so what has none left or is beyond his limit is not looked at.
    if pool and (i == 1 or pool[P_FREE] > 0 and fan[F_USED] < t.rules.limit) then
      local units, why = units_of_press(t, fan, pool_id, pool, qty, fewer, ready_in(t, pool_id) > 0)
      if units then
        local full = t.names and network_full(t, fan_id)
        if full then return nil, nil, nil, full end
        return nil, pool_id, units
      end
      refusal = refusal or why
    elseif i == 1 then
      refusal = {'NOT_FOUND'}
    end
  end
  return nil, nil, nil, refusal
end
