--[[
hand_room -- why these holds cannot be paid by hand, or nil: the drop has none, cash is paid where they are picked up and
until then, and only a share of each pool's units is in such payments at a time.
--]]

local function hand_room(t, holds, provider, way)
  local rules = t.rules
  if (rules.hand_ms or 0) == 0 then return {'NOT_FOUND'} end
  if provider == 'cash' and not (way and way.kind == 'pickup' and (way.until_ms or 0) + t.lead > t.now) then
    return {'NOT_FOUND'}
  end
  local units = {}
  for _, hold in ipairs(holds) do units[hold[H_POOL]] = (units[hold[H_POOL]] or 0) + hold[H_QTY] end
  for _, hold in ipairs(holds) do
    local pool = t.record.pools[hold[H_POOL]]
    local room = math.max(1, math.floor(pool[P_CAP] * (rules.hand_share or 0) / 100)) - pool[P_HAND]
    if units[hold[H_POOL]] > room then return {'HAND_FULL', math.max(0, room)} end
  end
end
