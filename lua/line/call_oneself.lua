--[[
call_oneself -- in quiet hours the line calls nobody; but the fan whose call it would be may press for it. He gets the
hold that the call would have offered him, and has taken it. Returns nil where it is not his. `c`: his command, whose
repeats this hold answers; `body`: the same in words.
--]]
--#use get first_in_line units_for offer claim_offer answer_beginning granted

local function call_oneself(t, c, fan, pool_id, pool, body)
  local fan_id, key, was = c[2], c[3], fan[F_SEQ]
  local id, entry, lane = first_in_line(t, nil, pool_id, true)
  if not id or entry[E_FAN] ~= fan_id then return nil end
  local qty = units_for(t, entry, pool_id)
  local hold_id = offer(t, id, entry, pool_id, qty, lane, key)
  claim_offer(t, hold_id, get(t, 'holds', hold_id), key)
  answer_beginning(t, fan_id, c[7], body, hold_id)
  return granted(t, 'HELD', hold_id, was)
end
