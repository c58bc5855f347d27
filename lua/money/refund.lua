#!lua flags=allow-oom
--[[
refund -- the creator gives money of an order back, and with it units, or none: then only its share falls. It names its
order and needs no revision.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  order      an order has the id of its hold
  by         who commands
  key        idempotency key
  why        a reason for its fan, or empty
  back       line: the units are free again; withheld: they were handed over and come back later; '': they stay
  amount     how much of its share goes back, or '': as much as the units are of it
  serials    msgpack: of the units, none for all that are left
RETURNS
  REFUNDED   hold, seq, state of the order, why: the reason that its fan reads, n: which refund of its payment it was
             (0: there was no payment, or it had ended before, for the first reason then), amount that goes back; a
             repeat too
  KEY_REUSED   the key was used for another command
  BAD_MESSAGE  why: a field is not within its bounds, or not within this order's
  AGAIN      more was due than one script settles; send it again
  FROZEN     the books do not add up
  NOT_FOUND  no such drop or order, or it has not all of these serials
COST  O(log n + s), n = holds and entries, s = units of the payment
--]]
--#use fault_in_refund begin_command conclude get refund_order reduce_order given_back answer answered command_field
--#use unfit_whole whole_serials

local clock_ms, id, by, key, why = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local back, amount, serials_packed = ARGV[6], ARGV[7], ARGV[8]
local RULE = 'must be a whole number from 0 to ' .. NUMBER[AMOUNT_MAX]

-- What of a command is not this order's, or nil.
local function unfit_for(order, named, serials)
  if back == '' and (amount == '' or named[1]) then return 'amount alone is what a refund without units has' end
  local share = order[O_AMOUNT]
  if amount ~= '' and tonumber(amount) > share then return 'amount must be at most ' .. NUMBER[share] end
  local older = (order[O_PAYMENT] or '') == ''
  if older and (amount ~= '' or #serials < order[O_QTY]) then return 'order can be given back as a whole alone' end
end

local fault = fault_in_refund(by, key, id, why, back)
if not fault and amount ~= '' then
  fault = unfit_whole(amount, 0, AMOUNT_MAX, RULE)
  fault = fault and 'amount ' .. fault
end
local t, early = begin_command(fault, KEYS, clock_ms)
if early then return cmsgpack.pack(early) end
local named = cmsgpack.unpack(serials_packed)
local field, body = command_field(t.key.answers, by, key), 'refund|' .. id
if why ~= '' then body = body .. '|' .. redis.sha1hex(why) end
if back ~= 'line' or amount ~= '' or named[1] then
  body = body .. '|' .. back .. '|' .. amount .. '|' .. redis.sha1hex(table.concat(named, ','))
end
local made = answered(t, field, body)
if made == nil then return cmsgpack.pack({'KEY_REUSED'}) end
local order = get(t, 'orders', id)
if made and order then
  local n, gone = string.match(made, '/(%d+)/(%d+)$')
  local done = {'REFUNDED', id, t.seq, order[O_STATE], order[O_WHY], tonumber(n or 0), tonumber(gone or 0)}
  return cmsgpack.pack(done)
end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
if not order then return cmsgpack.pack({'NOT_FOUND'}) end

local n, gone = 0, 0
if not given_back(order) then
  local serials = whole_serials(named, order[O_SERIALS])
  if not serials then return cmsgpack.pack({'NOT_FOUND'}) end
  local unfit = unfit_for(order, named, serials)
  if unfit then return cmsgpack.pack({'BAD_MESSAGE', unfit}) end
  if back == '' then
    gone = tonumber(amount)
    n = reduce_order(t, id, order, by, key, why, gone)
  else
    n, gone = refund_order(t, id, order, by, key, why, serials, back, tonumber(amount))
  end
end
answer(t, field, body, id .. '/' .. n .. '/' .. NUMBER[gone])
local seq = t.seq
if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'REFUNDED', id, seq, order[O_STATE], order[O_WHY], n, gone})
