--[[
stands_ahead -- does anybody stand ahead of a payment that came late, in the line of its hold's pool? Whoever
`serve` would call there before the entry that the hold came from, were it ready; where the hold came from none,
or from one whose fate is final, whoever is ready. The payer's own entries are no obstacle to him. A closing drop
calls nobody any more, so nobody stands ahead.
--]]
--#use get ready_in still_in_line head_of_lane owner_of rank_of boost_is_next

local function stands_ahead(t, hold)
  local pool_id, fan_id = hold[H_POOL], owner_of(t, hold[H_FAN])
  if t.state == 'closing' or ready_in(t, pool_id) == 0 then return false end
  local _, base = head_of_lane(t, {}, pool_id, 0, fan_id)
  local _, boost = head_of_lane(t, {}, pool_id, 1, fan_id)
  local own = hold[H_ENTRY] ~= '' and get(t, 'entries', hold[H_ENTRY])
  if not own or not still_in_line(own) then return base ~= nil or boost ~= nil end

  -- As if its own entry were ready, in each lane that it stands in.
  local rank, in_base = rank_of(own), own[E_LANE] == 0
  local best = boost and rank_of(boost)
  local own_boost = rank > 0 and (not boost or rank > best or rank == best and own[E_N] < boost[E_N])
  local own_base = in_base and (not base or own[E_N] < base[E_N])
  local calls_boost = boost_is_next(t, pool_id) or not (in_base or base)
  if calls_boost and (boost or own_boost) then return not own_boost end
  return not own_base
end
