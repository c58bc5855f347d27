#!lua flags=allow-oom
--[[
succeeded -- a provider says that a charge of a payment succeeded. It buys the payment's holds, or equal ones, or units that
are left where it came late; what it does not buy goes back by a duty. Where it buys nothing because it came late, its fan
is made good for once, for the first hold that was lost: his entry, a new one if none is open, stands above all points in
the boost lane. Whatever happens, it happens once per charge. A charge that was captured for another amount than was
told before keeps its ending; its orders or what goes back is corrected.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  payment    its id, or the hold's of what was begun before there were payments
  provider_id  the provider's id of the charge: letters of ids, 128 at most; in the log it has a number of ours
  amount     minor units, 0 to 10^12
  currency   ISO 4217
  captured   1: the money has moved; 0: it is authorised
  card       by what the provider knows the card that paid, 128 bytes at most; '' where it does not tell
  key        what cards are called by in a drop that has no such key yet
RETURNS
  PAID       payment, seq, the orders that it made, how much is kept
  VOIDED     payment, seq, why (mismatch, limit, second, late, ended), the entry that was made good or ''
  AGAIN      more was due than one script settles; send it again
  FROZEN     the books do not add up; the duty to look again stays with the provider's repeat
  NOT_FOUND  no such drop or payment
  BAD_MESSAGE  why (charge, amount, currency, card): out of bounds; nothing of it is written
  UNNAMED    the provider's ids of charges were lost, and this may be one of them: find them, and send it again
COST  O(h log n), h = its holds, n = holds and entries
--]]
--#use begin catch_up conclude get put fan_of owner_of void make_good payment_named judge_payment keep_paid
--#use payment_fault known_charge number_charge told_before close_payment ask_to_cancel way_of_payment standing_in was_late
--#use card_of card_full

local clock_ms, payment_name, provider_id = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local amount, currency, captured = tonumber(ARGV[4]), ARGV[5], ARGV[6] == '1'
local card_told, key = ARGV[7], ARGV[8]

local fault = payment_fault(provider_id, amount, currency, card_told)
if fault then return cmsgpack.pack({'BAD_MESSAGE', fault}) end
local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local charge, known = known_charge(t, provider_id)
if known then
  local correct, reply = told_before(t, charge, known, captured and amount)
  if correct then
    local wait = t.state == 'frozen' and 'FROZEN' or catch_up(t)
    if wait then return cmsgpack.pack({wait}) end
    correct()
    if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
  end
  return cmsgpack.pack(reply())
end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local id, payment, hold = payment_named(t, payment_name)
if not payment and not hold then return cmsgpack.pack({'NOT_FOUND'}) end
charge = number_charge(t, provider_id)
if not charge then return cmsgpack.pack({'UNNAMED'}) end

local units, first, expected, lost = 0, payment_name, hold and hold[H_QTY] * hold[H_PRICE], nil
local to_be_had = false
if payment then
  first, expected = payment[M_HOLDS][1], payment[M_AMOUNT]
  to_be_had = standing_in(t, id, payment)[1] ~= nil
  for _, hold_id in ipairs(payment[M_HOLDS]) do
    local one = get(t, 'holds', hold_id)
    units = units + one[H_QTY]
    if was_late(one) then lost, to_be_had = lost or one, true end
  end
end
local fan_id = owner_of(t, payment and payment[M_FAN] or hold[H_FAN])
local card = card_of(t, card_told, key)
local open = payment and payment[M_STATE] == 'open'
local why = 'ended'
if amount ~= expected or currency ~= t.rules.currency then
  why = 'mismatch'
elseif not payment or payment[M_STATE] == 'paid' or payment[M_JUDGED] > 0 then
  -- Without a payment its hold was bought or judged before there were payments.
  why = 'second'
elseif t.state ~= 'cancelled' and to_be_had then
  if card_full(t, card, units) then
    why = 'limit'
  else
    local how = {payment = id, way = way_of_payment(t, payment), charge = charge, captured = captured, card = card}
    local sold = judge_payment(t, id, payment, how)
    if sold[1] then
      payment[M_JUDGED] = open and 1 or 2
      local kept = keep_paid(t, id, payment, sold, how)
      if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
      return cmsgpack.pack({'PAID', id, t.seq, sold, kept})
    end
    why = 'late'
  end
end

if payment and open then
  -- Its first charge buys nothing: its holds are its fan's to pay anew.
  payment[M_JUDGED] = 1
elseif payment and why == 'late' then
  -- One charge is judged after the end; whatever comes later goes back.
  payment[M_JUDGED] = 2
end
if payment then put(t, 'payments', id, payment) end
local word = void(t, fan_id, first, id or '', charge, amount, currency, captured, why, why == 'limit' and card or '')
if payment and open then
  close_payment(t, id, payment, 'ended')
  ask_to_cancel(t, id, payment)
end
local entry, fan = '', fan_of(t, fan_id)
if why == 'late' and fan[F_MAKEGOOD] == 0 and (t.state == 'live' or t.state == 'paused') then
  entry = make_good(t, fan_id, fan, lost[H_POOL], lost[H_QTY])
end
t.charges[charge] = word .. '|' .. (id or payment_name) .. '|' .. why .. '|' .. entry

if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack({'VOIDED', id or payment_name, t.seq, why, entry})
