--[[
move_units -- the creator moves free units of a pool out of the sale or withheld ones into it. `from` and `to`
are the pool's fields; what fans hold or own is in neither. Returns the script's reply.
--]]
--#use put check_command refuse_in_state conclude_command

local SELLS = {scheduled = true, lobby = true, ordering = true, live = true, paused = true}

local function move_units(t, command, verb, name, from, to)
  local revision, by, key, pool_id, qty = unpack(command)
  local body = verb .. '|' .. pool_id .. '|' .. qty
  local reply = check_command(t, revision, by, key, body)
  if reply then return reply end
  if not SELLS[t.state] then
    return refuse_in_state(t, {})
  end
  local pool = t.record.pools[pool_id]
  if not pool then return {'NOT_FOUND'} end
  -- What was handed over and given back is not here.
  if pool[from] - (from == P_WITHHELD and pool[P_AWAY] or 0) < qty then
    return {'TOO_FEW', pool[P_FREE], pool[P_HELD], pool[P_SOLD], pool[P_WITHHELD]}
  end
  pool[from], pool[to] = pool[from] - qty, pool[to] + qty
  put(t, 'pools', pool_id, pool)
  return conclude_command(t, by, key, body, name, 'pool', pool_id, 'qty', qty)
end
