#!lua flags=allow-oom
--[[
view -- the newest public state, and what moved since a worker looked last. It arms the nudge in the same
script: whatever changes after it tells the workers, so nothing is missed and nobody polls.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  moves      the last row of moves that the worker has seen
  mail       the last row of mail that it has seen
RETURNS
  VIEW       now_ms, seq, state, revision, opens_ms, closes_ms,
             pools {id, free, held, sold, withheld, leased, waiting, buying, removed_base, removed_boost,
             offered, arrival of whoever may call himself in quiet hours; where there is early access how many units count
             against each cohort and, while it lasts, how many may},
             moves (last row, rows of {line, number, arrival}, of a boost line also its rank before and after), mail (last row, rows), news {seq, at, text}, why it is paused, cancelled or frozen,
             leads {at, lead}, hash of the manifest, when the line calls again (0: these are no quiet hours),
             of a list that chance orders {entries, how many have their arrivals, when it is sealed (0: not planned), when it was
             (0: it was not), its root, what was revealed, how many were called in the first round, the largest arrival that was
             called, how many arrivals are before the list's own: of places that were carried over},
             networks and mail domains that a creator has let in;
             only of a drop with early access {does it last, when it is to be open to all (0: by hand), when it was}
  FROZEN     the books did not add up just now
  NOT_FOUND  no such drop
COST  O(p log n + m), p = pools, n = entries, m = moves and letters since the cursors: rows until there
      are 4,000 of each; the next view goes on behind them
--]]
--#use begin advance line_range first_in_line is_early exempted

local clock_ms, moves_at, mail_at = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local PAGE, PARTS_MAX = 50, 4000
-- Where the reason stands why nothing can be had.
local WHY = {paused = 2, cancelled = 2, frozen = 3}

local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
-- It decides nothing, so it need not wait until nothing is due any more: screens watch a mass of holds
-- end, step by step.
if not advance(t) then return cmsgpack.pack({'FROZEN'}) end

local goes_on = t.state == 'live' or t.state == 'paused'
local calls_again = goes_on and redis.call('ZSCORE', t.key.due, 'calls')
local pools, heads = {}, {}
for i, name in ipairs(t.pool_names) do
  local p = t.record.pools[name]
  local first, after = line_range(p[P_INDEX])
  local _, next_one = nil, nil
  if calls_again and t.state == 'live' and p[P_FREE] > 0 then _, next_one = first_in_line(t, heads, name) end
  pools[i] = {name, p[P_FREE], p[P_HELD], p[P_SOLD], p[P_WITHHELD], p[P_LEASED],
    redis.call('ZCOUNT', t.key.places, first, after), redis.call('ZCOUNT', t.key.buying, first, after),
    p[P_REMOVED][1], p[P_REMOVED][2], p[P_OFFERED],
    next_one and next_one[E_N] or 0, p[P_COUNTED], p[P_CEILINGS]}
end
local function since(key, at)
  -- A row is what one script wrote, for up to hundreds of fans: what is counted is its content.
  local out, parts = {}, 0
  repeat
    local rows = redis.call('XRANGE', key, (at + 1) .. '-0', '+', 'COUNT', PAGE)
    for _, row in ipairs(rows) do
      local content = cmsgpack.unpack(row[2][2])
      at, parts = tonumber(string.match(row[1], '^%d+')), parts + #content
      out[#out + 1] = {at, content}
      if parts >= PARTS_MAX then return out end
    end
  until #rows < PAGE
  return out
end
local said = redis.call('HMGET', t.key.drop, 'news', 'why', 'froze', 'hash', 'entered', 'widened')
local list = {}
if said[5] then
  local seal = redis.call('ZSCORE', t.key.due, 'seal')
  local l = redis.call('HMGET', t.key.drop, 'placed', 'sealed', 'root', 'revealed', 'won', 'first', 'called', 'carried')
  -- While the first round goes on it counts itself.
  local won = l[5] or (l[6] and l[6] ~= '' and l[6])
  list = {tonumber(said[5]), l[1] and l[1] - (l[8] or 0) or 0, seal and seal - t.lead or 0, tonumber(l[2] or 0), l[3] or '', l[4] or '',
    tonumber(won or 0), tonumber(l[7] or 0), tonumber(l[8] or 0)}
end
local wake = redis.call('HMGET', t.key.wake, 'moves', 'mail')
local reply = {'VIEW', t.now - t.lead, t.seq, t.state, t.revision, t.rules.opens_ms, t.rules.closes_ms,
  pools, tonumber(wake[1] or 0), since(t.key.moves, moves_at),
  tonumber(wake[2] or 0), since(t.key.mail, mail_at),
  cmsgpack.unpack(said[1]), WHY[t.state] and said[WHY[t.state]] or '', cmsgpack.unpack(t.leads), said[4],
  calls_again and calls_again - t.lead or 0,
  list, t.counted and exempted(t, '') or {}}
if said[6] then reply[#reply + 1] = {is_early(t), t.rules.public_ms or 0, tonumber(said[6])} end

redis.call('HSET', t.key.wake, 'armed', 1)
return cmsgpack.pack(reply)
