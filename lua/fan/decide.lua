--[[
decide -- a batch of fans' commands in their order, as if they came one by one. `verbs`: a function for each
verb, (t, command) -> outcome: a table, or its msgpack (`granted`). An outcome tells a hold or an entry as it
stands when the batch is done and the line was served. Returns the script's reply.
--]]
--#use commands_of prefetch conclude get packed_ids packed_list

-- An outcome of bytes, of which some changed since.
local function as_it_is(t, outcome)
  -- A basket has its number there.
  if type(outcome[2]) == 'number' then
    for _, row in ipairs(outcome[3]) do row[3] = get(t, 'holds', row[2]) end
  else
    outcome[3] = get(t, 'holds', outcome[2])
  end
  return outcome
end

local function decide(t, verbs, batch)
  local commands, outcomes = commands_of(batch), {}
  prefetch(t, commands)
  local names, domains, count = t.names, t.domains, #commands
  t.asked = count
  for i = 1, count do
    local command = commands[i]
    -- Where it comes from, where that is counted.
    if names then t.near, t.wide = names[count + i], names[i] end
    if domains then t.domain = domains[i] end
    outcomes[i] = verbs[command[1]](t, command)
  end
  if not conclude(t) then return PACK({'FROZEN'}) end
  local kind_of = type
  for i = 1, #outcomes do
    local outcome = outcomes[i]
    if t.retold and kind_of(outcome) == 'string' then
      outcome = as_it_is(t, cmsgpack.unpack(outcome))
    end
    if kind_of(outcome) == 'table' then outcomes[i] = PACK(outcome) end
  end
  return '\148' .. PART['PRESSED'] .. PART[t.now - t.lead] .. t.leads .. packed_list(outcomes)
end
