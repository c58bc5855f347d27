--[[
hold -- a press: {verb, fan, key, pool, qty, fewer}. Units that are free are set aside for the fan,
unless somebody in the line is ready for that pool. In quiet hours that may be he himself.
--]]
--#use get fan_of units_of_press answered answer_beginning answers_press may_press too_soon granted
--#use set_aside begin_hold memo is_quiet call_oneself not_eligible

-- The command in words, to tell a repeat from another command under the same key.
local BODY = memo(function(pool)
  return memo(function(qty)
    return memo(function(fewer) return string.format('hold|%s|%d|%d', pool, qty, fewer) end)
  end)
end)

local function hold(t, c)
  local fan_id, key, pool_id, qty, fewer, field = c[2], c[3], c[4], c[5], c[6] == 1, c[7]
  local body = BODY[pool_id][qty][c[6]]
  local made = answered(t, field, body)
  if made == nil then return {'KEY_REUSED'} end
  local fan = fan_of(t, fan_id)
  -- What ended a day ago may have been taken out, and its key is as new.
  if made and get(t, 'holds', made) then return granted(t, 'HELD', made, fan[F_SEQ]) end

  local pool = t.record.pools[pool_id]
  if not pool then return {'NOT_FOUND'} end
  local refusal, line_first = may_press(t, pool_id)
  if refusal then return {refusal} end
  local barred = t.rules.cohorts and not_eligible(t, fan)
  if barred then return barred end
  local wait = t.paced[fan_id] and too_soon(t, fan_id)
  if wait then return {'TOO_MANY_REQUESTS', wait} end
  local holds = fan[F_HOLDS]
  for i = 1, #holds do
    local id = holds[i]
    local other = get(t, 'holds', id)
    if answers_press(t, fan_id, id, other, pool_id, qty) then
      answer_beginning(t, fan_id, field, body, id)
      return granted(t, 'HELD', id, fan[F_SEQ])
    end
  end
  if line_first and pool[P_FREE] > 0 and is_quiet(t) then
    local outcome = call_oneself(t, c, fan, pool_id, pool, body)
    if outcome then return outcome end
  end
  local units, why = units_of_press(t, fan, pool_id, pool, qty, fewer, line_first)
  if not units then return why end
  if t.names then return begin_hold(t, c, fan, pool_id, pool, units, body) end
  return set_aside(t, c, fan, pool_id, pool, units, body)
end
