--[[
begin -- open a transaction `t` on one drop: its keys by name, the frozen clock, the counters, the
rules and the pools. The drop's own time is the server's clock plus its `lead`. Everything that a script
decides is kept in `t` until `commit` writes it. Returns nil when there is no such drop.
--]]
--#use freeze_half refuse_newer_schema tell_time packed_ids

local function begin(keys, clock_ms)
  local t = {
    key = {
      drop = keys[1], pools = keys[2], items = keys[3], fans = keys[4], holds = keys[5],
      orders = keys[6], entries = keys[7], due = keys[8], places = keys[9], ready = keys[10],
      buying = keys[11], returned = keys[12], sales = keys[13], charges = keys[14],
      outbox = keys[15], payments = keys[16], log = keys[17], answers = keys[18],
      moves = keys[19], mail = keys[20], wake = keys[21], paces = keys[22], charge_ids = keys[23],
      networks = keys[24], crowded = keys[25], nudge = keys[26],
    },
    record = {pools = {}, items = {}, fans = {}, holds = {}, orders = {}, entries = {}, payments = {}},
    dirty = {pools = {}, items = {}, fans = {}, holds = {}, orders = {}, entries = {}, payments = {}},
    zset = {due = {}, places = {}, ready = {}, buying = {}, returned = {}, sales = {}},
    charges = {}, outbox = {}, answers = {}, stored = {}, prefetched = false, drop = {},
    wake = {}, paced = {}, begun = false,
    log = {}, mail = {}, moves = {}, ready_count = {}, terms = {}, retold = false, offers = 0,
  }
  local function head()
    return redis.call('HMGET', t.key.drop, 'state', 'seq', 'at', 'test', 'rules', 'revision',
      'arrivals', 'holds', 'schema', 'lead', 'leads', 'mark')
  end
  local d = head()
  if not d[1] then return nil end
  refuse_newer_schema(d[9])
  if (d[12] or '0') ~= '0' then
    freeze_half(t.key, d[1], d[12])
    d = head()
  end
  local time, test = redis.call('TIME'), d[4] == '1'
  t.clock = time[1] * 1000 + math.floor(time[2] / 1000)
  if clock_ms > 0 and test then t.clock = clock_ms end
  t.state, t.seq, t.revision = d[1], tonumber(d[2]), tonumber(d[6])
  t.arrivals, t.holds, t.schema = tonumber(d[7]), tonumber(d[8]), tonumber(d[9])
  t.lead, t.leads = tonumber(d[10] or 0), d[11] or PACK({})
  local wake = redis.call('HMGET', t.key.wake, 'now', 'ran', 'gap', 'doubt')
  -- A cooling that ended left no event, but time must not fall back behind it.
  t.last = math.max(tonumber(d[3]), tonumber(wake[1] or 0))
  t.ran, t.gap, t.doubt = tonumber(wake[2] or 0), tonumber(wake[3] or 0), wake[4] == '1'
  -- The clock of a test jumps without an outage: it has a mark only where the test began one.
  t.marked = t.ran > 0 or not test
  tell_time(t, math.max(t.clock + t.lead, t.last))
  t.rules = cmsgpack.unpack(d[5])
  -- A drop of before there were the rules counts no network and no domain, nor does one that is over.
  if ((t.rules.network_most or 0) > 0 or t.rules.domain_most) and t.state ~= 'settled' and t.state ~= 'cancelled' then
    t.counted, t.members, t.recounted, t.begun_here = {}, {}, {}, {}
    t.counts_at, t.crowded, t.at_domain = {}, {}, {}
  end
  local rows = redis.call('HGETALL', t.key.pools)
  t.pool_names = {}
  for i = 1, #rows, 2 do
    local pool = cmsgpack.unpack(rows[i + 1])
    t.record.pools[rows[i]] = pool
    t.pool_names[pool[P_INDEX] + 1] = rows[i]
  end
  t.seq_was, t.seq_packed = t.seq, cmsgpack.pack(t.seq)
  return t
end
