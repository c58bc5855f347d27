#!lua
--[[
reschedule -- the drop opens, or closes, at another time. A time that changes is still to come; both are of the
true clock, and 0 is by hand. While a list is open that chance orders, the opening is when it is sealed.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
  opens_ms   when it opens; of a drop whose list is open what its seal is reckoned from, 0 also where it is 0 and a seal stands; of one that has opened, as it was
  closes_ms  when it closes
RETURNS
  CHANGED          seq, revision, state; a repeat too
  CLOSED CANCELLED   the drop's state, which this is not for
  ALREADY          state, what, by: both times are these
  IN_THE_PAST      now_ms, of the true clock
  BAD_MESSAGE      why: a field is not within its bounds, it has opened, or it would close before it opens
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries
--]]
--#use fault_in_reschedule begin_command check_command refuse_in_state conclude_command has_list
--#use lobby_at seal_at

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local opens_ms, closes_ms = ARGV[5], ARGV[6]
local ENDS = {closing = true, settled = true, cancelled = true}
local t, early = begin_command(fault_in_reschedule(by, key, revision, opens_ms, closes_ms), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local wanted = {open = tonumber(opens_ms), close = tonumber(closes_ms)}
local body = 'reschedule|' .. opens_ms .. '|' .. closes_ms
local rules, now, waits = t.rules, t.now - t.lead, t.state == 'scheduled'
local enters = t.state == 'lobby'
local moved = {}
if wanted.open ~= rules.opens_ms then moved.open = wanted.open end
if wanted.close ~= rules.closes_ms then moved.close = wanted.close end
if enters and not next(moved) and wanted.open == 0 and redis.call('ZSCORE', t.key.due, 'seal') then
  -- It was opened by hand, and is sealed by the clock: it is by hand from now on.
  moved.open = 0
end
-- From when on it cannot be later: what the new opening means.
local begins = enters and seal_at(rules, wanted.open) or wanted.open

local function refusal()
  if ENDS[t.state] then return refuse_in_state(t, {}) end
  if not next(moved) then return refuse_in_state(t, {[t.state] = true}) end
  if moved.open and not waits and not enters then
    return {'BAD_MESSAGE', 'opens_ms is over, the drop has opened'}
  end
  for planned, at in pairs(moved) do
    if at > 0 and (planned == 'open' and begins or at) <= now then return {'IN_THE_PAST', now} end
  end
  local before = waits or enters and moved.open
  if before and wanted.open > 0 and wanted.close > 0 and wanted.close <= begins then
    return {'BAD_MESSAGE', 'closes_ms must be after opens_ms, or 0'}
  end
end

local reply = check_command(t, revision, by, key, body) or refusal()
if reply then return cmsgpack.pack(reply) end
if rules.public_ms and rules.opens_ms > 0 and moved.open and wanted.open > 0 then
  -- It is open to all as long after its opening as before.
  rules.public_ms = rules.public_ms + wanted.open - rules.opens_ms
end
rules.opens_ms, rules.closes_ms = wanted.open, wanted.close
for planned, at in pairs(moved) do
  if planned == 'open' and enters then
    t.zset.due.seal = at > 0 and begins + t.lead
  elseif planned == 'open' and has_list(t) then
    t.zset.due.lobby = at > 0 and lobby_at(rules) + t.lead
  else
    t.zset.due[planned] = at > 0 and at + t.lead
  end
end
t.drop.rules = cmsgpack.pack(rules)
return cmsgpack.pack(conclude_command(t, by, key, body, 'rescheduled', 'opens_ms', wanted.open, 'closes_ms',
  wanted.close))
