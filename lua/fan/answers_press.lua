--[[
answers_press -- is this hold, which the fan has, what a press of `qty` units of its pool would make? It is when it
has that many, or was asked for with as many and got what was left: a second tab asks for the same once more.
--]]
--#use still_held unclaimed wanted_in

local function answers_press(t, fan, id, hold, pool_id, qty)
  if hold[H_POOL] ~= pool_id or not still_held(hold) or unclaimed(hold) then return false end
  if hold[H_QTY] == qty then return true end
  -- What the line offered was asked for under no key; only who called himself gets more than he asked for.
  if hold[H_KEY] == '' or hold[H_QTY] > qty and hold[H_ORIGIN] ~= 'line' then return false end
  -- One that a guest began was asked for under his key.
  local guest = hold[H_BEGUN_BY]
  local field = (guest and guest ~= '' and guest or fan) .. ':' .. hold[H_KEY]
  local made = t.answers[field] or redis.call('HGET', t.key.answers, field)
  if not made then return false end
  return tonumber(string.match(made, '^%w+|hold|[^|]*|(%d+)') or string.match(made, '^%w+|join|(%d+)')
    or wanted_in(made, id)) == qty
end
