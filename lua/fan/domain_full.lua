--[[
domain_full -- the refusal of a command by which one more person of a mail domain would take part than may; nil: he may. Who
takes part already is not asked about, nor is a domain that a creator has exempted; public ones have no name here.
--]]

local function domain_full(t, fan)
  local domain, most = t.domain, t.rules.domain_most
  if not domain or domain == '' or t.exempt and t.exempt[domain] then return nil end
  local at = t.at_domain
  if at[fan] == nil then at[fan] = redis.call('HGET', t.key.networks, 'p:' .. fan) end
  if at[fan] then return nil end
  if not at[domain] then at[domain] = tonumber(redis.call('HGET', t.key.networks, domain) or 0) end
  if at[domain] < most then return nil end
  t.crowded[domain] = (t.crowded[domain] or 0) + 1
  return {'DOMAIN_FULL', domain, most}
end
