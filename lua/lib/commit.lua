--[[
commit -- write everything that the transaction decided, the log first, then the state it explains. All checks
come before the first write. Nothing after it can fail but by the server's own fault (a right that its user
lacks): so the first write sets a mark, the last one clears it, and whoever finds it freezes the drop. If
the books of a pool do not add up, nothing is written: the drop is frozen, and commit returns false.
--]]
--#use adds_up freeze_books packed packed_fan packed_ids packed_list digits

local ROWS_MAX = 500
local TRIM = 10000
local NETWORK_CHARS = 16
local ONE_NETWORK = string.rep('.', NETWORK_CHARS)

local function unchanged(t)
  -- The end of a cooling changes records and sets without an event.
  if #t.log > 0 or next(t.answers) then return false end
  for _, ids in pairs(t.dirty) do
    if next(ids) then return false end
  end
  for _, members in pairs(t.zset) do
    if next(members) then return false end
  end
  return true
end

local function write(command, key, args)
  for from = 1, #args, ROWS_MAX * 2 do
    redis.call(command, key, unpack(args, from, math.min(from + ROWS_MAX * 2 - 1, #args)))
  end
end

local function write_zset(key, members)
  local add, remove, n = {}, {}, 0
  local shown, text
  for member, score in pairs(members) do
    if score then
      -- The holds of a batch share their deadline.
      if score ~= shown then shown, text = score, NUMBER[score] end
      add[n + 1], add[n + 2] = text, member
      n = n + 2
    else
      remove[#remove + 1] = member
    end
  end
  write('ZREM', key, remove)
  write('ZADD', key, add)
end

-- Who counts where, and of each wider network what is counted in it (`counts_around`).
local function write_networks(t)
  local set, gone = t.begun_here, {}
  local n = #set
  for id, at in pairs(t.counts_at) do
    if at then
      set[n + 1], set[n + 2] = id, at
      n = n + 2
    else
      gone[#gone + 1] = id
    end
  end
  local counted, recounted, members = t.counted, t.recounted, t.members
  for i = 1, #recounted do
    local around = recounted[i]
    local row = members[around]
    if #row == NETWORK_CHARS then
      row = counted[row] > 0 and row .. NUMBER[counted[row]]
    else
      row = string.gsub(row, ONE_NETWORK, function(name)
        return counted[name] > 0 and name .. NUMBER[counted[name]] or ''
      end)
    end
    if row and row ~= '' then
      set[n + 1], set[n + 2] = around, row
      n = n + 2
    else
      gone[#gone + 1] = around
    end
  end
  if n > 0 and t.new_key then
    set[n + 1], set[n + 2] = 'key', t.new_key
    t.new_key = nil
  end
  write('HDEL', t.key.networks, gone)
  write('HSET', t.key.networks, set)
  t.counts_at, t.recounted, t.begun_here = {}, {}, {}
end

-- What each card bought, and by which one each order was paid.
local function write_cards(t)
  local set, gone = {}, {}
  for name, value in pairs(t.cards) do
    if value then
      set[#set + 1] = name
      set[#set + 1] = value
    else
      gone[#gone + 1] = name
    end
  end
  write('HDEL', t.key.networks, gone)
  write('HSET', t.key.networks, set)
  t.cards = nil
end

local function commit(t)
  if next(t.wake) then
    for field, value in pairs(t.wake) do redis.call('HSET', t.key.wake, field, value) end
    t.wake = {}
  end
  if t.counted and next(t.crowded) then
    for name, times in pairs(t.crowded) do
      redis.call('HSET', t.key.crowded, name, times + (redis.call('HGET', t.key.crowded, name) or 0))
    end
    t.crowded = {}
  end
  if unchanged(t) then return true end
  -- A cancelled drop sells nothing; its money must go back even when its books were broken. A frozen
  -- one changes only in its layout.
  for name in pairs((t.state == 'cancelled' or t.state == 'frozen') and {} or t.dirty.pools) do
    if not adds_up(t.record.pools[name]) then
      freeze_books(t, 'conservation of ' .. name)
      return false
    end
  end

  redis.call('HSET', t.key.drop, 'mark', t.now_text)
  -- One entry of the stream for many events: what the server does per entry costs more than the text.
  for from = 1, #t.log, ROWS_MAX do
    local last = math.min(from + ROWS_MAX - 1, #t.log)
    local fields, n = {}, 0
    for i = from, last do
      fields[n + 1], fields[n + 2] = 'e', t.log[i]
      n = n + 2
    end
    redis.call('XADD', t.key.log, string.format('%d-0', t.seq_was + last), unpack(fields))
  end
  if t.named then
    -- Nothing makes these anew: whatever the rest comes to, they stand beside the log that tells of them.
    write('HSET', t.key.charge_ids, t.named)
    t.named = nil
  end

  local fans, mail, letters = {}, {}, 0
  for fan, seq in pairs(t.mail) do
    fans[2 * letters + 1], fans[2 * letters + 2] = fan, packed_fan(t.record.fans[fan], seq)
    letters = letters + 1
    mail[letters] = '\146' .. HEAD[#fan] .. fan .. seq
  end
  write('HSET', t.key.fans, fans)
  for kind, ids in pairs(t.dirty) do
    if next(ids) then
      local args, n = {}, 0
      for id, text in pairs(ids) do
        if text == true then text = packed(t, kind, id) end
        args[n + 1], args[n + 2] = id, text
        n = n + 2
      end
      write('HSET', t.key[kind], args)
      t.dirty[kind] = {}
    end
  end
  -- Whoever may set the mark may write every hash: what a key made is known where the log tells of it.
  local answers, n = {}, 0
  for field, value in pairs(t.answers) do
    answers[n + 1], answers[n + 2] = field, value
    n = n + 2
  end
  write('HSET', t.key.answers, answers)
  for name, members in pairs(t.zset) do
    if next(members) then
      write_zset(t.key[name], members)
      t.zset[name] = {}
    end
  end
  if t.over and (t.counted or t.rules.cards == 1) then
    -- With the key of its own goes whatever could tell who is meant.
    redis.call('UNLINK', t.key.networks, t.key.crowded)
    t.counted, t.names, t.cards = nil, nil, nil
  elseif t.counted and (t.begun_here[1] or next(t.counts_at)) then
    write_networks(t)
  end
  if t.cards then write_cards(t) end
  if t.begun then
    local paces = {}
    n = 0
    for fan, used in pairs(t.paced) do
      paces[n + 1], paces[n + 2] = fan, NUMBER[used]
      n = n + 2
    end
    write('HSET', t.key.paces, paces)
  end
  for charge, ending in pairs(t.charges) do redis.call('HSET', t.key.charges, charge, ending) end
  for duty, record in pairs(t.outbox) do
    if record then
      redis.call('HSET', t.key.outbox, duty, cmsgpack.pack(record))
    else
      redis.call('HDEL', t.key.outbox, duty)
    end
  end

  local wake = redis.call('HMGET', t.key.wake, 'moves', 'mail', 'armed')
  if #t.moves > 0 then
    local i = tonumber(wake[1] or 0) + 1
    redis.call('XADD', t.key.moves, 'MAXLEN', '~', TRIM, i .. '-0', 'm', cmsgpack.pack(t.moves))
    redis.call('HSET', t.key.wake, 'moves', i)
  end
  if letters > 0 then
    local i = tonumber(wake[2] or 0) + 1
    redis.call('XADD', t.key.mail, 'MAXLEN', '~', TRIM, i .. '-0', 'm', packed_list(mail))
    redis.call('HSET', t.key.wake, 'mail', i)
  end
  if wake[3] == '1' and #t.log > 0 then
    redis.call('HSET', t.key.wake, 'armed', 0)
    redis.call('PUBLISH', t.key.nudge, t.seq)
  end

  local head = {'mark', 0}
  if #t.log > 0 then
    head = {'mark', 0, 'state', t.state, 'seq', t.seq, 'at', t.now_text, 'revision', t.revision,
      'arrivals', t.arrivals, 'holds', t.holds}
    for field, value in pairs(t.drop) do
      head[#head + 1] = field
      head[#head + 1] = value
    end
  else
    -- A cooling that ended tells no event when; `begin` keeps time from falling back behind it.
    redis.call('HSET', t.key.wake, 'now', t.now_text)
  end
  redis.call('HSET', t.key.drop, unpack(head))
  t.seq_was, t.log, t.mail, t.moves = t.seq, {}, {}, {}
  t.answers, t.begun, t.charges, t.outbox, t.drop = {}, false, {}, {}, {}
  return true
end
