--[[
shift -- the creator moves free units of a pool out of the sale or withheld ones into it. `from` and `to`
are the pool's fields; what fans hold or own is in neither. Returns the script's reply.
--]]
--#use put creator stands_as creator_done

local function shift(t, command, verb, name, from, to)
  local revision, by, key, pool_id, qty = unpack(command)
  local body = verb .. '|' .. pool_id .. '|' .. qty
  local reply = creator(t, revision, by, key, body)
  if reply then return reply end
  if t.state ~= 'scheduled' and t.state ~= 'live' and t.state ~= 'paused' then return stands_as(t, {}) end
  local pool = t.record.pools[pool_id]
  if not pool then return {'NOT_FOUND'} end
  if pool[from] < qty then
    return {'TOO_FEW', pool[P_FREE], pool[P_HELD], pool[P_SOLD], pool[P_WITHHELD]}
  end
  pool[from], pool[to] = pool[from] - qty, pool[to] + qty
  put(t, 'pools', pool_id, pool)
  return creator_done(t, by, key, body, name, ',"pool":"' .. pool_id .. '","qty":' .. qty)
end
