--[[
enter_list -- a new entry stands in the list of a lobby, in no line yet. chance: {its tickets, the nonce that its fan's
browser chose or ''}; there is at least one ticket, and no more than the rules say. Returns the JSON of both.
--]]
--#use entered whole_entry

local NONCE = '^' .. string.rep('[0-9a-f]', 32) .. '$'

local function enter_list(t, entry, chance)
  local tickets, nonce = chance and chance[1] or 1, chance and chance[2] or ''
  tickets = math.max(1, math.min(math.floor(tickets), t.rules.tickets_most))
  if not string.match(nonce, NONCE) then nonce = '' end
  whole_entry(entry)
  entry[E_TICKETS], entry[E_NONCE] = tickets, nonce
  t.entered = entered(t) + 1
  t.drop.entered = t.entered
  return ',"tickets":' .. tickets .. ',"nonce":"' .. nonce .. '"'
end
