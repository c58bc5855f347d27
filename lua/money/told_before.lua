--[[
told_before -- what became of a charge that is known, and whether its amount has to be corrected. `captured`: the amount
that the provider says it captured, false where it does not. Returns what corrects it, or nil; and what makes the
reply of `succeeded`.
--]]
--#use get amount_told correct_amount correct_paid

local function ids_in(text)
  local ids = {}
  for id in string.gmatch(text, '[^,]+') do ids[#ids + 1] = id end
  return ids
end

local function told_before(t, charge, known, captured)
  local word, of, third, fourth = string.match(known, '^(%w+)|([^|]*)|?([^|]*)|?([^|]*)$')
  if word == 'paid' then
    local payment = get(t, 'payments', of)
    -- A provider tells what was paid, also where it took a part of it.
    local differs = captured and fourth ~= '' and captured ~= tonumber(fourth) and captured ~= payment[M_AMOUNT]
    local function correct() correct_paid(t, of, payment, charge, ids_in(third), tonumber(fourth), captured) end
    return differs and correct or nil, function() return {'PAID', of, t.seq, ids_in(third), payment[M_KEPT]} end
  end
  -- Of an order of before there were payments, or of what bought nothing.
  local payment = get(t, 'payments', of)
  local hold_id = payment and payment[M_HOLDS][1] or of
  local differs = captured and (amount_told(t, hold_id, charge, word) or captured) ~= captured
  local function correct() correct_amount(t, hold_id, payment and of or '', charge, captured, known) end
  local function reply()
    if word == 'sold' or word == 'rescued' then return {'PAID', of, t.seq, {of}, get(t, 'orders', of)[O_AMOUNT]} end
    return {'VOIDED', of, t.seq, third, fourth}
  end
  return differs and correct or nil, reply
end
