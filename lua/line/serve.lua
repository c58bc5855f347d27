--[[
serve -- while the drop is live, and these are no quiet hours, free units go to the line: every pool with a free unit and a ready entry
names its lane by its own counter; the smallest arrival among the base-lane pools goes first, else the
best of the boost lanes; the fan gets the first pool of his list among those. At most 64 offers a script.
Call it with nothing uncommitted in `ready`. Returns true when the 64 did not suffice.
--]]
--#use units_for offer first_in_line rank_of is_quiet end_first_round

local OFFERS_MAX = 64

-- Returns whether the 64 did not suffice, and whether there is nobody to call.
local function call_line(t)
  local open = {}
  for _, name in ipairs(t.pool_names) do
    if t.record.pools[name][P_FREE] > 0 then open[#open + 1] = name end
  end
  if #open == 0 or redis.call('ZCARD', t.key.ready) == 0 then return false, true end
  if is_quiet(t) then return false, false end
  local heads = {}
  while true do
    local best, best_id, best_lane = nil, nil, 1
    local named = {}
    for _, name in ipairs(open) do
      local pool = t.record.pools[name]
      if pool[P_FREE] > 0 then
        local id, entry, lane = first_in_line(t, heads, name)
        if id then
          named[name] = {lane, id}
          local better = not best or lane < best_lane
          if best and lane == best_lane then
            if lane == 1 and rank_of(entry) ~= rank_of(best) then
              better = rank_of(entry) > rank_of(best)
            else
              better = entry[E_N] < best[E_N]
            end
          end
          if better then best, best_id, best_lane = entry, id, lane end
        end
      end
    end
    if not best then return false, true end
    if t.offers == OFFERS_MAX then return true, false end
    for _, name in ipairs(best[E_POOLS]) do
      if named[name] and named[name][1] == best_lane and named[name][2] == best_id then
        offer(t, best_id, best, name, units_for(t, best, name), best_lane)
        break
      end
    end
    t.offers = t.offers + 1
  end
end

local function serve(t)
  if t.state ~= 'live' then return false end
  local more, nobody = call_line(t)
  if nobody and t.rules.first_offer_ms then end_first_round(t) end
  return more
end
