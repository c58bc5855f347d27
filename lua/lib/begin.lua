--[[
begin -- open a transaction `t` on one drop: its keys by name, the frozen clock, the counters, the
rules and the pools. Everything that a script decides is kept in `t` until `commit` writes it.
Returns nil when there is no such drop.
--]]
--#use refuse_newer_schema

local function begin(keys, clock_ms)
  local t = {
    key = {
      drop = keys[1], pools = keys[2], items = keys[3], fans = keys[4], holds = keys[5],
      orders = keys[6], entries = keys[7], due = keys[8], places = keys[9], ready = keys[10],
      buying = keys[11], returned = keys[12], sales = keys[13], charges = keys[14],
      outbox = keys[15], log = keys[16], answers = keys[17], moves = keys[18], mail = keys[19],
      wake = keys[20], paces = keys[21], nudge = keys[22],
    },
    record = {pools = {}, items = {}, fans = {}, holds = {}, orders = {}, entries = {}},
    dirty = {pools = {}, items = {}, fans = {}, holds = {}, orders = {}, entries = {}},
    zset = {due = {}, places = {}, ready = {}, buying = {}, returned = {}, sales = {}},
    charges = {}, outbox = {}, answers = {}, stored = {}, prefetched = false, drop = {},
    paced = {}, begun = false,
    log = {}, mail = {}, moves = {}, ready_count = {}, terms = {}, retold = false, offers = 0,
  }
  local d = redis.call('HMGET', t.key.drop, 'state', 'seq', 'at', 'test', 'rules', 'revision',
    'arrivals', 'holds', 'schema')
  if not d[1] then return nil end
  refuse_newer_schema(d[9])
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if clock_ms > 0 and d[4] == '1' then now = clock_ms end
  t.state, t.seq, t.revision = d[1], tonumber(d[2]), tonumber(d[6])
  t.arrivals, t.holds, t.schema = tonumber(d[7]), tonumber(d[8]), tonumber(d[9])
  -- A cooling that ended left no event, but time must not fall back behind it.
  t.now = math.max(now, tonumber(d[3]), tonumber(redis.call('HGET', t.key.wake, 'now') or 0))
  -- Turning a number into text costs more than most of what a command does.
  t.now_text = string.format('%d', t.now)
  t.rules = cmsgpack.unpack(d[5])
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
