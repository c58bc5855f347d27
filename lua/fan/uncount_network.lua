--[[
uncount_network -- a hold or an entry is over and counts at its network no more. `heir`: the hold that stays of an entry
that is over, and counts in its place. Whatever ends it, it is given back once: what stands beside its id is gone then.
--]]
--#use counts_around recount
local NAME_OF_AROUND = 9

local function uncount_network(t, id, heir)
  local counted, begun, counts_at = t.counted, t.begun_here, t.counts_at
  if not counted then return end
  -- What this script has begun is not stored yet.
  for i = 1, #begun, 2 do counts_at[begun[i]] = begun[i + 1] end
  if begun[1] then t.begun_here = {} end
  local near = counts_at[id]
  if near == nil then near = redis.call('HGET', t.key.networks, id) end
  if not near then return end
  counts_at[id] = false
  if heir then
    counts_at[heir] = near
    return
  end
  local around = string.sub(near, NAME_OF_AROUND)
  counts_around(t, around, redis.call('HGET', t.key.networks, around) or '')
  counted[near], counted[around] = (counted[near] or 1) - 1, (counted[around] or 1) - 1
  recount(t, around)
end
