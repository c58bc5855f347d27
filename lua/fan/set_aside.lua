--[[
set_aside -- free units become a hold of origin press. The caller has made sure that the fan may have them
now. `c`: his command, whose repeats this hold answers; `body`: the same in words.
--]]
--#use new_hold answer_beginning granted

local function set_aside(t, c, fan, pool_id, pool, qty, body)
  local was = fan[F_SEQ]
  local id = new_hold(t, c, fan, pool_id, pool, qty, '')
  answer_beginning(t, c[2], c[7], body, id)
  return granted(t, 'HELD', id, was)
end
