#!lua
--[[
message -- a word of the creator to everybody; screens keep the last five.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  revision   the drop's revision that the creator saw
  by         who commands
  key        idempotency key
  text       what a person typed, one line
RETURNS
  CHANGED          seq, revision, state; a repeat too
  CLOSED CANCELLED   the drop's state, which this is not for
  BAD_MESSAGE      why: a field is not within its bounds
  STALE_REVISION   revision, state, what, by: somebody was faster
  KEY_REUSED       the key was used for another command
  FROZEN           the books do not add up
  AGAIN            more was due than one script settles; send it again
  NOT_FOUND        no such drop
COST  O(log n), n = holds and entries
--]]
--#use fault_in_message begin_command check_command refuse_in_state conclude_command

local clock_ms, revision, by, key = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local text = ARGV[5]
local NEWS_MAX = 5
local t, early = begin_command(fault_in_message(by, key, revision, text), KEYS, clock_ms)
if early then return cmsgpack.pack(early) end

local body = 'message|' .. redis.sha1hex(text)
local reply = check_command(t, revision, by, key, body)
if not reply and (t.state == 'settled' or t.state == 'cancelled') then reply = refuse_in_state(t, {}) end
if reply then return cmsgpack.pack(reply) end
local news = cmsgpack.unpack(redis.call('HGET', t.key.drop, 'news'))
news[#news + 1] = {t.seq + 1, t.now, text}
if #news > NEWS_MAX then table.remove(news, 1) end
t.drop.news = cmsgpack.pack(news)
return cmsgpack.pack(conclude_command(t, by, key, body, 'message', 'text', text))
