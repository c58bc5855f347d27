--[[
take_over -- everything that a guest has becomes the person's, and the guest's record says so. What had ended before
keeps the guest's id (`owner_of`). A hold remembers under whom it began: its payment goes on under that name.
--]]
--#use get put emit still_in_line unready

-- Two lists of ids, each in the order of their numbers, as one.
local function merged(some, others)
  local all = {}
  for _, ids in ipairs({some, others}) do
    for _, id in ipairs(ids) do all[#all + 1] = id end
  end
  table.sort(all, function(a, b) return tonumber(string.sub(a, 2)) < tonumber(string.sub(b, 2)) end)
  return all
end

-- A fan's entries whose fate is open, and the one that has ended and is told still, if there is one.
local function entries_of(t, fan)
  local open, told = {}, nil
  for _, id in ipairs(fan[F_ENTRIES]) do
    if still_in_line(get(t, 'entries', id)) then open[#open + 1] = id else told = id end
  end
  return open, told
end

local function cohorts_of_both(t, guest, person)
  local mine, both = {}, {}
  for _, fan in ipairs({guest, person}) do
    for _, id in ipairs(fan[F_COHORTS] or {}) do mine[id] = true end
  end
  for _, id in ipairs(t.rules.cohorts or {}) do
    if mine[id] then both[#both + 1] = id end
  end
  return both
end

local function pay_as(t, id, fan_id)
  local payment = id and id ~= '' and get(t, 'payments', id)
  if not payment then return end
  payment[M_FAN] = fan_id
  put(t, 'payments', id, payment)
end

local function quoted(ids)
  return ids[1] and '"' .. table.concat(ids, '","') .. '"' or ''
end

local function take_over(t, guest_id, guest, person_id, person)
  local holds, orders = guest[F_HOLDS], guest[F_ORDERS]
  local entries, told = entries_of(t, guest)
  -- Each may be in cohorts: what both had stands in the lines of a class together.
  unready(t, guest)
  unready(t, person)
  for _, id in ipairs(holds) do
    local hold = get(t, 'holds', id)
    hold[H_FAN], hold[H_BEGUN_BY], hold[H_COHORT] = person_id, guest_id, hold[H_COHORT] or ''
    put(t, 'holds', id, hold)
    pay_as(t, hold[H_PAYMENT], person_id)
  end
  for _, id in ipairs(orders) do
    local order = get(t, 'orders', id)
    order[O_FAN] = person_id
    put(t, 'orders', id, order)
    pay_as(t, order[O_PAYMENT], person_id)
    person[F_ORDERS][#person[F_ORDERS] + 1] = id
  end
  for _, id in ipairs(entries) do
    local entry = get(t, 'entries', id)
    entry[E_FAN] = person_id
    put(t, 'entries', id, entry)
  end
  local _, own = entries_of(t, person)
  -- Of what has ended his own is told, if there is some.
  local also = not own and told and {told} or {}
  person[F_HOLDS] = merged(person[F_HOLDS], holds)
  person[F_ENTRIES] = merged(merged(person[F_ENTRIES], entries), also)
  if person[F_LAST] == '' then person[F_LAST] = guest[F_LAST] end
  person[F_USED] = person[F_USED] + guest[F_USED]
  person[F_MAKEGOOD] = math.max(person[F_MAKEGOOD], guest[F_MAKEGOOD])
  person[F_PERSON], person[F_GUESTS], person[F_COHORTS] = '', person[F_GUESTS] or {}, cohorts_of_both(t, guest, person)
  table.insert(person[F_GUESTS], guest_id)
  guest[F_USED], guest[F_MAKEGOOD], guest[F_LAST] = 0, 0, ''
  guest[F_HOLDS], guest[F_ENTRIES], guest[F_ORDERS] = {}, {}, {}
  guest[F_PERSON], guest[F_GUESTS], guest[F_COHORTS] = person_id, {}, {}

  -- Who of the two has used up more of his pace waits as long as he would have.
  local paces = redis.call('HMGET', t.key.paces, guest_id, person_id)
  if tonumber(paces[1] or 0) > tonumber(paces[2] or 0) then
    t.paced[person_id], t.begun = tonumber(paces[1]), true
  end
  emit(t, 'adopted', person_id, '"guest":"' .. guest_id .. '","holds":[' .. quoted(holds)
    .. '],"orders":[' .. quoted(orders) .. '],"entries":[' .. quoted(entries) .. ']')
  -- The guest's screens are to hear of it too.
  guest[F_SEQ], t.mail[guest_id] = t.seq, t.seq_packed
end
