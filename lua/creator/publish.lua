#!lua
--[[
publish -- a drop comes into the world: its rules, items and pools are fixed for good.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock; used only with test = 1
  by         who publishes
  key        idempotency key
  test       1: later scripts accept a clock argument
  hash       SHA-256 of the canonical manifest, hex
  manifest   its canonical JSON
  rules      msgpack: what the scripts need of it
  rules_json the same as JSON, for the log
  asked      what he asked for, in words: the same again under the key is the same command
RETURNS
  CHANGED          seq, revision, state; also when the same is asked for under the same key again
  KEY_REUSED       the key published something else under this id
  BAD_MESSAGE      why: a field, or a number of the rules, is not within its bounds
  EXISTS           state, same: the id is taken, if `same` by this very manifest
COST  O(p), p = pools
--]]
--#use fault_in_publish fault_in_rules fields command_field lobby_at

local clock_ms, by, key, test = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local hash, manifest, rules_packed, rules_json, asked = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local drop, pools, items, due = KEYS[1], KEYS[2], KEYS[3], KEYS[8]
local log, answers, nudge = KEYS[17], KEYS[18], KEYS[26]

local rules = cmsgpack.unpack(rules_packed)
local fault = fault_in_publish(by, key) or fault_in_rules(rules)
if fault then return cmsgpack.pack({'BAD_MESSAGE', fault}) end
local field = command_field(answers, by, key)
local there = redis.call('HMGET', drop, 'state', 'seq', 'revision', 'hash', 'archived')
-- The id of a drop that left for the archive is taken for good.
if there[5] then return cmsgpack.pack({'EXISTS', 'archived', false}) end
if there[1] then
  local made = redis.call('HGET', answers, field)
  if made == '1|publish|' .. asked then
    return cmsgpack.pack({'CHANGED', tonumber(there[2]), tonumber(there[3]), there[1]})
  end
  if made then return cmsgpack.pack({'KEY_REUSED'}) end
  return cmsgpack.pack({'EXISTS', there[1], there[4] == hash})
end
-- What is asked once a night need not be read by every press.
local hours, randomness = rules.calls, rules.randomness
if hours or randomness then
  rules.calls, rules.randomness = nil, nil
  rules_packed = cmsgpack.pack(rules)
end
local cohorts = rules.cohorts
if cohorts then
  -- Their ceilings stand at the pools.
  rules.cohorts = {}
  for i, cohort in ipairs(cohorts) do rules.cohorts[i] = cohort.id end
  rules_packed = cmsgpack.pack(rules)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if clock_ms > 0 and test == '1' then now = clock_ms end

redis.call('HSET', drop, 'schema', SCHEMA, 'state', 'scheduled', 'seq', 1, 'at', now, 'test', test,
  'revision', 1, 'arrivals', 0, 'holds', 0, 'hash', hash, 'rules', rules_packed,
  'manifest', manifest, 'what', 'published', 'by', by, 'news', cmsgpack.pack({}), 'lead', 0,
  'leads', cmsgpack.pack({}), 'mark', now)
if hours then
  redis.call('HSET', drop, 'calls', cmsgpack.pack({hours.from_ms, hours.to_ms, hours.offsets}))
end
if randomness then
  redis.call('HSET', drop, 'randomness', cmsgpack.pack(randomness), 'entered', 0)
end
if cohorts then redis.call('HSET', drop, 'widened', 0) end
if rules.carried then redis.call('HSET', drop, 'looked', 0, 'carried', 0) end
redis.call('XADD', log, '1-0', 'e', '{"e":"published","seq":1,'
  .. fields('at', now, 'by', by, 'key', key, 'revision', 1, 'schema', SCHEMA, 'test', tonumber(test),
    'hash', hash) .. ',"rules":' .. rules_json .. '}')
for i, item in ipairs(rules.items) do
  redis.call('HSET', items, item.id,
    cmsgpack.pack(ItemRecord{
      index = i - 1, cap = item.cap, price = item.price, limit = item.limit, most = item.most,
      serial = 0,
    }))
end
for i, pool in ipairs(rules.pools) do
  local record = PoolRecord{
    index = i - 1, item = pool.item, cap = pool.cap, free = pool.cap - pool.withheld, held = 0,
    sold = 0, withheld = pool.withheld, leased = 0, lane_count = 0, removed = {0, 0},
    offered = 0, hand = 0, away = 0,
  }
  if cohorts or rules.carried then
    record[P_COUNTED], record[P_CEILINGS], record[P_CARRIED] = {}, {}, {}
    if rules.carried then record[P_CARRIED] = {0, math.floor(pool.cap * rules.carried.share / 100)} end
    for place, cohort in ipairs(cohorts or {}) do
      record[P_COUNTED][place], record[P_CEILINGS][place] = 0, cohort.most[i]
    end
  end
  redis.call('HSET', pools, pool.id, cmsgpack.pack(record))
end
if rules.opens_ms > 0 and not randomness then redis.call('ZADD', due, rules.opens_ms, 'open') end
if rules.opens_ms > 0 and randomness then redis.call('ZADD', due, lobby_at(rules), 'lobby') end
if rules.closes_ms > 0 then redis.call('ZADD', due, rules.closes_ms, 'close') end
redis.call('HSET', answers, field, '1|publish|' .. asked)
redis.call('PUBLISH', nudge, 1)
redis.call('HSET', drop, 'mark', 0)
return cmsgpack.pack({'CHANGED', 1, 1, 'scheduled'})
