--[[
paid_for_nothing -- the holds for which money came that bought nothing: id -> true; nil where a charge may be missing
among `named`, which are to be all of that kind; `others` is how many bought something.
--]]
local AT_ONCE = 500

local function paid_for_nothing(t, named, others)
  local holds, known, count = {}, {}, 0
  for from = 1, #named, AT_ONCE do
    local to = math.min(from + AT_ONCE - 1, #named)
    for i, ending in ipairs(redis.call('HMGET', t.key.charges, unpack(named, from, to))) do
      local charge = named[from + i - 1]
      local hold = ending and string.match(ending, '^voided0?|([^|]*)|')
      if hold and not known[charge] then
        holds[hold], known[charge], count = true, true, count + 1
      end
    end
  end
  return redis.call('HLEN', t.key.charges) == others + count and holds or nil
end
