--[[
count_network -- what a command has begun, a hold or an entry, counts at its network from now on: once, until
`uncount_network` gives it back. Where it counts stands beside its id, so that nobody else has to know. What begins in
an exempt network counts nowhere. Its person counts at his mail domain, once, to the end of the drop: `network_full` has
looked whether he does already.
--]]
--#use recount

local function count_network(t, id, fan)
  local near, wide, domain, at = t.near, t.wide, t.domain, t.at_domain
  if domain and domain ~= '' and not at[fan] and not (t.exempt and t.exempt[domain]) then
    at[fan], at[domain] = domain, at[domain] + 1
    t.counts_at['p:' .. fan], t.counts_at[domain] = domain, NUMBER[at[domain]]
  end
  if near == '' or t.exempt and t.exempt[near] then return end
  local counted, members, begun = t.counted, t.members, t.begun_here
  local around, m = counted[wide], #begun
  begun[m + 1], begun[m + 2] = id, near
  if not around then
    -- Nothing was known of it: there is nothing to look up, and nothing to remember but that.
    counted[near], counted[wide], members[wide] = 1, 1, near
    t.recounted[#t.recounted + 1] = wide
    return
  end
  if not counted[near] then members[wide] = members[wide] .. near end
  counted[near], counted[wide] = (counted[near] or 0) + 1, around + 1
  recount(t, wide)
end
