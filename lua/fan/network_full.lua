--[[
network_full -- the refusal of a command that would begin something where its network, or the wider one around it, has as
many unpaid holds and open entries as it may have; nil: it may. The wider one may have four times as many. What a creator
has exempted is not asked about.
--]]
local AROUND = 4

local function network_full(t)
  local counted = t.counted
  local around = counted[t.wide]
  if not around then return nil end
  local near, wide, most, full = t.near, t.wide, t.rules.network_most, nil
  local exempt = t.exempt or {}
  if exempt[near] then return nil end
  if (counted[near] or 0) >= most then
    full = near
  elseif around >= AROUND * most and not exempt[wide] then
    full, most = wide, AROUND * most
  end
  if not full then return nil end
  t.crowded[full] = (t.crowded[full] or 0) + 1
  return {'NETWORK_FULL', full, most}
end
