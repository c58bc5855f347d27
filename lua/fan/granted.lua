--[[
granted -- the outcome of a command about a hold that was carried out: its word, the hold, the log's length,
and the fan's seq from before the command. As msgpack, of the bytes that are stored; a hold that this batch
did not change may be changed by a later command, and is packed at the end.
--]]
--#use get packed packed_ids ended_as

local function granted(t, word, id, was)
  if not t.dirty.holds[id] then
    local record = get(t, 'holds', id)
    local state = ended_as(t, id, record)
    if state ~= record[H_STATE] then
      record = {unpack(record)}
      record[H_STATE] = state
    end
    return {word, id, record, t.seq, was}
  end
  return '\149' .. PART[word] .. HEAD[#id] .. id .. packed(t, 'holds', id) .. t.seq_packed .. PACK(was)
end
