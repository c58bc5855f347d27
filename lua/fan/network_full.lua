--[[
network_full -- the refusal of a command that would begin something where its network, or the wider one around it, has as
many unpaid holds and open entries as it may have; nil: it may. The wider one may have four times as many. What a creator
has exempted is not asked about, and an exempted network counts nothing around it.
--]]
local AROUND = 4

local function network_full(t, c)
  local near, wide = c[8], c[9]
  if not near or t.exempt[near] then return nil end
  local counted, most, full = t.counted, t.rules.network_most, nil
  if counted[near] >= most then
    full = near
  elseif counted[wide] >= AROUND * most and not t.exempt[wide] then
    full, most = wide, AROUND * most
  end
  if not full then return nil end
  t.crowded[full] = (t.crowded[full] or 0) + 1
  return {'NETWORK_FULL', full, most}
end
