--[[
count_domain -- a person takes part from now on and counts at his mail domain, once, to the end of the drop. After
`domain_full`, which has looked whether he does already.
--]]

local function count_domain(t, fan)
  local domain, at = t.domain, t.at_domain
  if not domain or domain == '' or at[fan] or t.exempt and t.exempt[domain] then return end
  at[fan], at[domain] = domain, at[domain] + 1
  t.counts_at['p:' .. fan], t.counts_at[domain] = domain, NUMBER[at[domain]]
end
