#!lua flags=allow-oom
--[[
you -- the whole personal state of some fans, with exact places.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  fans       msgpack: fan ids, 256 at most
RETURNS
  YOU        now_ms, seq, leads {at, lead}, one row per fan: fan as asked, FanRecord, {hold id, HoldRecord},
             {entry id, EntryRecord, {pool, place, r, buying}}, {hold id, OrderRecord}, {entry id, EntryRecord} of a place that
             has ended, the person whose all this is when the fan is a guest whom he adopted, or '',
             {entry id, {pool, place, r, buying}} of second places, in the boost lanes, {payment id, PaymentRecord} of these
             holds and orders
  AGAIN      more is due; send it again
  FROZEN     the books did not add up just now
  NOT_FOUND  no such drop
COST  O(f log n), f = fans with what they have, n = entries
--]]
--#use begin catch_up get fan_of owner_of ended_as still_in_line line_score rank_of second_rank

local clock_ms, fans = tonumber(ARGV[1]), cmsgpack.unpack(ARGV[2])

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end

local function places_of(entry, lane)
  local lines = {}
  for k, pool_id in ipairs(entry[E_POOLS]) do
    local pool = t.record.pools[pool_id]
    local first = string.format('%d', (pool[P_INDEX] * 2 + lane) * LINE)
    local here = '(' .. string.format('%d', line_score(pool[P_INDEX], lane, rank_of(entry), entry[E_N]))
    lines[k] = {pool_id, redis.call('ZCOUNT', t.key.places, first, here) + 1,
      pool[P_REMOVED][lane + 1], redis.call('ZCOUNT', t.key.buying, first, here)}
  end
  return lines
end

-- The payments that these holds and orders are in, or were in last, each once.
local function payments_of(holds, orders)
  local rows, seen = {}, {}
  local function see(id)
    if (id or '') == '' or seen[id] then return end
    seen[id] = true
    rows[#rows + 1] = {id, get(t, 'payments', id)}
  end
  for _, row in ipairs(holds) do see(row[2][H_PAYMENT]) end
  for _, row in ipairs(orders) do see(row[2][O_PAYMENT]) end
  table.sort(rows, function(a, b) return tonumber(string.sub(a[1], 2)) < tonumber(string.sub(b[1], 2)) end)
  return rows
end

local rows = {}
for i, fan_id in ipairs(fans) do
  local person = owner_of(t, fan_id)
  local fan = fan_of(t, person)
  local holds, entries, orders, ended, boosts = {}, {}, {}, {}, {}
  for j, id in ipairs(fan[F_HOLDS]) do holds[j] = {id, get(t, 'holds', id)} end
  local last = fan[F_LAST] ~= '' and get(t, 'holds', fan[F_LAST])
  -- A hold that its payment rescued is an order, not a loss that its fan is still to be told of.
  if last and ended_as(t, fan[F_LAST], last) ~= 'sold' then holds[#holds + 1] = {fan[F_LAST], last} end
  for _, id in ipairs(fan[F_ENTRIES]) do
    local entry = get(t, 'entries', id)
    if still_in_line(entry) then
      local placed = entry[E_N] > 0
      entries[#entries + 1] = {id, entry, placed and places_of(entry, entry[E_LANE]) or {}}
      if placed and second_rank(entry) > 0 then boosts[#boosts + 1] = {id, places_of(entry, 1)} end
    elseif t.state ~= 'settled' then
      ended[1] = {id, entry}
    end
  end
  for j, id in ipairs(fan[F_ORDERS]) do orders[j] = {id, get(t, 'orders', id)} end
  rows[i] = {fan_id, fan, holds, entries, orders, ended, person ~= fan_id and person or '', boosts,
    payments_of(holds, orders)}
end
return cmsgpack.pack({'YOU', t.now - t.lead, t.seq, cmsgpack.unpack(t.leads), rows})
