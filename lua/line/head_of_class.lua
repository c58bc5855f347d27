--[[
head_of_class -- the first entry of one class of fans in one lane of a pool that is still ready in this transaction, or
nil. The set is read 64 at a time; entries that were offered meanwhile are passed over, and those of `but_fan`. So are those
that were carried over where their share is full: they have the first arrivals, in the base lane and of each rank.
--]]
--#use get line_score rank_of share_full carried_before

local READ_MAX = 64

local function head_of_class(t, heads, class, pool_id, lane, but_fan)
  local pool = t.record.pools[pool_id]
  local start = class * CLASS
  local first = start + (pool[P_INDEX] * 2 + lane) * LINE
  local after = '(' .. string.format('%d', first + LINE)
  local passed = share_full(pool) and carried_before(t) or 0
  local slot = passed > 0 and -first or first
  local head = heads[slot]
  if not head then
    if lane == 0 and passed > 0 then first = start + line_score(pool[P_INDEX], 0, 0, passed + 1) end
    head = {at = 1, read = 0, rows = {}, first = first}
    heads[slot] = head
  end
  while true do
    local member = head.rows[head.at]
    if not member then
      if head.read > 0 and #head.rows < READ_MAX then return nil end
      head.rows = redis.call('ZRANGEBYSCORE', t.key.ready, string.format('%d', head.first), after, 'LIMIT',
        head.read, READ_MAX)
      head.read, head.at = head.read + READ_MAX, 1
      if #head.rows == 0 then return nil end
    else
      local id = string.match(member, '^(.-)@')
      local entry = get(t, 'entries', id)
      if entry[E_N] <= passed then
        head.first = start + line_score(pool[P_INDEX], 1, rank_of(entry), passed + 1)
        head.at, head.read, head.rows = 1, 0, {}
      else
        for i, name in ipairs(entry[E_POOLS]) do
          if name == pool_id and entry[E_READY][i] == 1 and entry[E_FAN] ~= but_fan then return id, entry end
        end
        head.at = head.at + 1
      end
    end
  end
end
