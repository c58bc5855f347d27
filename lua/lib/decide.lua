--[[
decide -- a batch of fans' commands in their order, as if they came one by one. `verbs`: a function for each
verb, (t, command) -> outcome: msgpack, or a table whose records are told as they stand when the line was
served. Returns the script's reply.
--]]
--#use commands_of prefetch conclude packed packed_list

local function decide(t, verbs, batch)
  local commands, outcomes = commands_of(batch), {}
  prefetch(t, commands)
  for i = 1, #commands do
    local command = commands[i]
    outcomes[i] = verbs[command[1]](t, command)
  end
  if not conclude(t) then return PACK({'FROZEN'}) end
  local kind_of = type
  for i = 1, #outcomes do
    local outcome = outcomes[i]
    if kind_of(outcome) == 'table' then outcomes[i] = PACK(outcome) end
  end
  return '\147' .. PART['PRESSED'] .. PART[t.now] .. packed_list(outcomes)
end
