--[[
count_network -- what a command has begun, a hold or an entry, counts at its network from now on: once, until
`uncount_network` gives it back. Where it counts stands beside its id, so that nobody else has to know. What begins in
an exempt network counts nowhere.
--]]
--#use recount

local function count_network(t, id)
  local near, wide = t.near, t.wide
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
