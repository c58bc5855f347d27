#!lua flags=allow-oom
--[[
lay_claim -- a run of a shop begins to sell from this server. Another shop's claim stands, however old, until it
is taken over; a run of the same shop stands while it lives, but for those that this one goes on from: a copy of
a living run's directory knows less of its renewals than the server. A shop that was restored is another life of the
same shop: what was there before the restore sells no more.

KEYS
  claim    hash   shop; life; address, where people reach it; run:<nonce> -> <count>:<until, ms>
ARGV
  shop      its id
  nonce     of this run
  count     of its renewals
  before    earlier runs of its data directory, as <nonce>:<count>, by what it knows of their renewals
  runs      how many may live side by side
  over      the shop that is taken over, if it is gone; or ''
  ms        from now, while nobody renews it
  address
  life      which restore of the shop it is, '' before the first
RETURNS
  CLAIMED
  REPLACED       life, address: the claim is of another life of this shop
  ANOTHER_SHOP   shop, address, ms   it lives for so long yet; 0: it is gone
  OCCUPIED       shop, address, ms   as many runs of this shop as may, live for so long yet
COST  O(r), r = runs
--]]

local claim = KEYS[1]
local shop, nonce, count, before = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local runs, over, ms, address = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]), ARGV[8]
local life = ARGV[9]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function goes_on_from(run, renewed)
  local known = string.match(before, run .. ':(%d+)')
  return run == nonce or known and tonumber(known) >= renewed
end

local there, gone, living, left = {}, {}, 0, 0
local fields = redis.call('HGETALL', claim)
for i = 1, #fields, 2 do
  local run = string.match(fields[i], '^run:(%x+)$')
  if run then
    local renewed, till = string.match(fields[i + 1], '^(%d+):(%d+)$')
    if tonumber(till) <= now or goes_on_from(run, tonumber(renewed)) then
      gone[#gone + 1] = fields[i]
    else
      living, left = living + 1, math.max(left, till - now)
    end
  else
    there[fields[i]] = fields[i + 1]
  end
end
local other = there.shop and there.shop ~= shop
if other and (over ~= there.shop or left > 0) then
  return cmsgpack.pack({'ANOTHER_SHOP', there.shop, there.address, left})
end
if there.shop == shop and (there.life or '') ~= life then
  return cmsgpack.pack({'REPLACED', there.life or '', there.address or ''})
end
if living >= runs then return cmsgpack.pack({'OCCUPIED', shop, there.address, left}) end

for _, field in ipairs(gone) do redis.call('HDEL', claim, field) end
if other then redis.call('HDEL', claim, 'life') end
if life ~= '' then redis.call('HSET', claim, 'life', life) end
redis.call('HSET', claim, 'shop', shop, 'address', address,
  'run:' .. nonce, string.format('%s:%.0f', count, now + ms))
return cmsgpack.pack({'CLAIMED'})
