--[[
merge_entries -- of a person's two places in the base lanes the earlier arrival stays, with what it asked for; of two that chance
has given none yet, the one that joined first. What the
line has offered to the other becomes a hold, for as long as the offer stood at the least. The one that stays has the points of
the one with more, and is made good if either was.
--]]
--#use get still_in_line still_held unclaimed claim_offer finish_entry open_entry rerank

local function arrival_of(entry)
  return entry[E_N] > 0 and entry[E_N] or math.huge
end

-- The one that ends; nil where there are no two.
local function later_of(t, person)
  local first
  for _, id in ipairs(person[F_ENTRIES]) do
    local entry = get(t, 'entries', id)
    if entry[E_LANE] == 0 and still_in_line(entry) then
      if first then return arrival_of(entry) < arrival_of(get(t, 'entries', first)) and first or id end
      first = id
    end
  end
end

local function merge_entries(t, person)
  local id = later_of(t, person)
  if not id then return end
  local entry = get(t, 'entries', id)
  if entry[E_STATE] == 'offered' then
    local hold = get(t, 'holds', entry[E_HOLD])
    -- In a cancelled drop the offer has ended, and may have been taken out; the entry stays as it was.
    if hold and still_held(hold) and unclaimed(hold) then
      claim_offer(t, entry[E_HOLD], hold, '', hold[H_DEADLINE_MS])
    end
  end
  finish_entry(t, id, entry, 'removed', ',"why":"merged"', true)
  local stays, own = open_entry(t, person)
  if (entry[E_BOOK] or 0) > 0 or entry[E_MADE_GOOD] == 1 then
    rerank(t, stays, own, math.max(own[E_POINTS], entry[E_POINTS]), math.max(own[E_BOOK] or 0, entry[E_BOOK]),
      math.max(own[E_MADE_GOOD] or 0, entry[E_MADE_GOOD]))
  end
end
