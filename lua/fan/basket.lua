--[[
basket -- {verb, fan, key, all, wants}: several presses under one key, decided in their order, each for the first of its
pools that can be had (`decide_want`). The new holds share a number, that of the first of them; 0 where there is none.
all: 1 where nothing is held unless all can be. What is missing is told with its reason, and is not joined to the line.
Where nothing is had, nothing is remembered. In quiet hours a basket calls nobody up.
--]]
--#use fan_of answered answer_beginning may_press too_soon not_eligible
--#use begin_basket decide_want try_wants new_hold count_network basket_in_words basketed basket_again

local HOLDS_MAX, LATER_MS = 256, 1000

-- Why there is no basket now, or nil. A batch carries so many holds, however they are grouped.
local function refusal_of(t, fan_id, fan, wants)
  local refusal = may_press(t)
  if refusal then return {refusal} end
  local barred = t.rules.cohorts and not_eligible(t, fan)
  if barred then return barred end
  local wait = t.paced[fan_id] and too_soon(t, fan_id)
  if not wait and t.asked + #wants - 1 > HOLDS_MAX then wait = LATER_MS end
  return wait and {'TOO_MANY_REQUESTS', wait}
end

local function nothing_had(tried, seq, was)
  local missing = {}
  for i = 1, #tried do missing[i] = {i - 1, tried[i][4] or {'ALL_OR_NOTHING'}} end
  return {'BASKETED', 0, {}, missing, seq, was}
end

local function basket(t, c)
  local fan_id, all, wants, field = c[2], c[4] == 1, c[5], c[7]
  local body = basket_in_words(c[4], wants)
  local made = answered(t, field, body)
  if made == nil then return {'KEY_REUSED'} end
  local fan = fan_of(t, fan_id)
  local was = fan[F_SEQ]
  local again = made and basket_again(t, made, was)
  if again then return again end
  local refusal = refusal_of(t, fan_id, fan, wants)
  if refusal then return refusal end
  t.asked = t.asked + #wants - 1

  local tried, whole
  if all then
    tried, whole = try_wants(t, fan_id, fan, wants)
    if not whole then return nothing_had(tried, t.seq, was) end
  end
  local b = not tried and begin_basket(t, fan_id, fan)
  local number, told, had, missing, words = 0, '', {}, {}, {}
  for i = 1, #wants do
    local id, pool_id, units, why
    if tried then
      id, pool_id, units = tried[i][1], tried[i][2], tried[i][3]
    else
      id, pool_id, units, why = decide_want(t, b, wants[i])
    end
    if pool_id then
      if number == 0 then
        number = t.holds + 1
        told = ',"basket":' .. number
      end
      id = new_hold(t, c, fan, pool_id, t.record.pools[pool_id], units, told)
      if t.names then count_network(t, id, fan_id) end
    elseif id and b then
      b.answering[id] = true
    end
    if id then
      had[#had + 1], words[i] = {i - 1, id}, id
    else
      missing[#missing + 1], words[i] = {i - 1, why}, table.concat(why, '.')
    end
  end
  if had[1] then answer_beginning(t, fan_id, field, body, number .. ',' .. table.concat(words, ',')) end
  return basketed(t, number, had, missing, was)
end
