--[[
widen_pools -- a pool counts its units in payments by hand, and those that were handed over and given back: layout 7
did not, and what it counted behind them moves on.
--]]

local function widen_pools(t)
  for _, pool in pairs(t.record.pools) do
    local early = type(pool[P_HAND]) == 'table' and {unpack(pool, P_HAND)} or {}
    if #pool < P_OFFERED then pool[P_OFFERED] = 0 end
    pool[P_HAND], pool[P_AWAY] = 0, 0
    for i = 1, #early do pool[P_AWAY + i] = early[i] end
  end
end
