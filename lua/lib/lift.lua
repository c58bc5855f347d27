--[[
lift -- bring a drop that an older engine wrote to this layout of the truth. `commit` writes it with what is
settled, before anything is decided; from then on the older engine leaves the drop alone.
--]]
--#use count_offers keep_hard_stops name_told_charges widen_pools tell_time emit

local function lift(t)
  -- The time of a frozen drop stands still.
  if t.state == 'frozen' then tell_time(t, t.last) end
  if t.schema < PAYS_TOGETHER then widen_pools(t) end
  if t.schema < 2 then
    count_offers(t)
    t.drop.lead, t.drop.leads = t.lead, t.leads
  end
  if t.schema < 3 then keep_hard_stops(t) end
  if t.schema < NUMBERS_CHARGES then name_told_charges(t) end
  -- Whether the books of the older engine add up is seen now.
  for name in pairs(t.record.pools) do t.dirty.pools[name] = true end
  emit(t, 'lifted', nil, '"from":' .. t.schema .. ',"to":' .. SCHEMA)
  t.drop.schema, t.schema = SCHEMA, SCHEMA
end
