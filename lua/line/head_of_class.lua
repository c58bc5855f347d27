--[[
head_of_class -- the first entry of one class of fans in one lane of a pool that is still ready in this transaction, or
nil. The set is read 64 at a time; entries that were offered meanwhile are passed over, and those of `but_fan`.
--]]
--#use get line_score share_full carried_before

local READ_MAX = 64

local function head_of_class(t, heads, class, pool_id, lane, but_fan)
  local pool = t.record.pools[pool_id]
  local first = class * CLASS + (pool[P_INDEX] * 2 + lane) * LINE
  local after = '(' .. string.format('%d', first + LINE)
  if lane == 0 and share_full(pool) then
    -- Those who were carried over have the first arrivals.
    first = class * CLASS + line_score(pool[P_INDEX], 0, 0, carried_before(t) + 1)
  end
  local head = heads[first]
  if not head then
    head = {at = 1, read = 0, rows = {}}
    heads[first] = head
  end
  while true do
    local member = head.rows[head.at]
    if not member then
      if head.read > 0 and #head.rows < READ_MAX then return nil end
      head.rows = redis.call('ZRANGEBYSCORE', t.key.ready, string.format('%d', first), after, 'LIMIT',
        head.read, READ_MAX)
      head.read, head.at = head.read + READ_MAX, 1
      if #head.rows == 0 then return nil end
    else
      local id = string.match(member, '^(.-)@')
      local entry = get(t, 'entries', id)
      for i, name in ipairs(entry[E_POOLS]) do
        if name == pool_id and entry[E_READY][i] == 1 and entry[E_FAN] ~= but_fan then return id, entry end
      end
      head.at = head.at + 1
    end
  end
end
