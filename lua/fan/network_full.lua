--[[
network_full -- the refusal of a command that would begin something where its network, or the wider one around it, has as
many unpaid holds and open entries as it may have; nil: it may. The wider one may have four times as many. What a creator
has exempted is not asked about. So it is where one more person of a mail domain would take part than may: who takes part
already is not asked about, and public domains have no name here.
--]]
local AROUND = 4

local function network_full(t, fan)
  local counted, exempt = t.counted, t.exempt or {}
  local near, wide, full = t.near, t.wide, nil
  local around, most, refusal = counted[wide], t.rules.network_most, 'NETWORK_FULL'
  if around and not exempt[near] then
    if (counted[near] or 0) >= most then
      full = near
    elseif around >= AROUND * most and not exempt[wide] then
      full, most = wide, AROUND * most
    end
  end
  local domain = t.domain
  if not full and domain and domain ~= '' and not exempt[domain] then
    local at = t.at_domain
    if at[fan] == nil then at[fan] = redis.call('HGET', t.key.networks, 'p:' .. fan) end
    if not at[fan] then
      if not at[domain] then at[domain] = tonumber(redis.call('HGET', t.key.networks, domain) or 0) end
      most, refusal = t.rules.domain_most, 'DOMAIN_FULL'
      full = at[domain] >= most and domain
    end
  end
  if not full then return nil end
  t.crowded[full] = (t.crowded[full] or 0) + 1
  return {refusal, full, most}
end
