#!lua flags=allow-oom
--[[
succeeded -- a provider says that a payment succeeded. It buys its hold, or an equal one, or a unit that is
left when it came late; otherwise a duty gives the money back, and once a fan is made good for it: his entry, a new one
if none is open, stands above all points in the boost lane. Whatever happens, it happens once per charge. A charge that was captured for another amount than was
told before keeps its ending; its order or what goes back is corrected.

KEYS
  all keys of one drop, as `begin` names them; the nudge channel last
ARGV
  clock_ms   0 for the server's own clock
  hold       the hold that the payment was begun for
  provider_id  the provider's id of the payment: letters of ids, 128 at most; in the log it has a number of ours
  amount     minor units, 0 to 10^12
  currency   ISO 4217
  captured   1: the money has moved; 0: it is authorised
  card       by what the provider knows the card that paid, 128 bytes at most; '' where it does not tell
  key        what cards are called by in a drop that has no such key yet
RETURNS
  SOLD       hold, seq
  RESCUED    hold, seq: the hold had ended and a free unit was left
  VOIDED     hold, seq, why (mismatch, limit, second, late, ended), the entry that was made good or ''
  AGAIN      more was due than one script settles; send it again
  FROZEN     the books do not add up; the duty to look again stays with the provider's repeat
  NOT_FOUND  no such drop or hold
  BAD_MESSAGE  why (charge, amount, currency, card): out of bounds; nothing of it is written
  UNNAMED    the provider's ids of charges were lost, and this may be one of them: find them, and send it again
COST  O(log n), n = holds and entries
--]]
--#use begin catch_up conclude get put fan_of owner_of still_held sell buy_late void make_good
--#use payment_fault known_charge number_charge amount_told correct_amount
--#use card_of card_full

local clock_ms, id, provider_id = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local amount, currency, captured = tonumber(ARGV[4]), ARGV[5], ARGV[6] == '1'
local card_told, key = ARGV[7], ARGV[8]

local fault = payment_fault(provider_id, amount, currency, card_told)
if fault then return cmsgpack.pack({'BAD_MESSAGE', fault}) end
local t = begin(KEYS, clock_ms)
if not t then return cmsgpack.pack({'NOT_FOUND'}) end
local charge, known = known_charge(t, provider_id)
if known then
  local word, hold, why, entry = string.match(known, '^(%w+)|([^|]*)|?([^|]*)|?([^|]*)$')
  if captured and (amount_told(t, hold, charge, word) or amount) ~= amount then
    local wait = t.state == 'frozen' and 'FROZEN' or catch_up(t)
    if wait then return cmsgpack.pack({wait}) end
    correct_amount(t, hold, charge, amount, known)
    if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
  end
  return cmsgpack.pack({string.upper(string.match(word, '%a+')), hold, t.seq, why, entry})
end
local wait = catch_up(t)
if wait then return cmsgpack.pack({wait}) end
if t.state == 'frozen' then return cmsgpack.pack({'FROZEN'}) end
local record = get(t, 'holds', id)
if not record then return cmsgpack.pack({'NOT_FOUND'}) end
charge = number_charge(t, provider_id)
if not charge then return cmsgpack.pack({'UNNAMED'}) end

local fan_id, pool_id = owner_of(t, record[H_FAN]), record[H_POOL]
local fan = fan_of(t, fan_id)
local state, reply = record[H_STATE], nil
local card = card_of(t, card_told, key)
local full = card_full(t, card, record[H_QTY])
local why = 'ended'
if amount ~= record[H_QTY] * record[H_PRICE] or currency ~= t.rules.currency then
  why = 'mismatch'
elseif still_held(record) and t.state ~= 'cancelled' then
  why = 'limit'
  if not full then
    sell(t, 'sold', id, record, id, charge, captured, card)
    reply = {'SOLD', id, t.seq}
  end
elseif state == 'sold' or record[H_BEGAN] == 2 then
  why = 'second'
elseif state == 'expired' and record[H_BEGAN] == 1 and t.state ~= 'cancelled' then
  why = full and 'limit' or 'late'
  if not full then reply = buy_late(t, id, record, charge, captured, card) end
end
if why == 'late' then
  -- One payment is judged after the end; whatever comes later for the same intent goes back.
  record[H_BEGAN] = 2
  put(t, 'holds', id, record)
end
if not reply then
  local word = void(t, fan_id, id, charge, amount, currency, captured, why, why == 'limit' and card or '')
  local entry = ''
  if why == 'late' and fan[F_MAKEGOOD] == 0 and (t.state == 'live' or t.state == 'paused') then
    entry = make_good(t, fan_id, fan, pool_id, record[H_QTY])
  end
  t.charges[charge] = word .. '|' .. id .. '|' .. why .. '|' .. entry
  reply = {'VOIDED', id, t.seq, why, entry}
end

if not conclude(t) then return cmsgpack.pack({'FROZEN'}) end
return cmsgpack.pack(reply)
