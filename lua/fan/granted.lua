--[[
granted -- the outcome of a command about a hold that was carried out: its word, the hold, the log's length,
and the fan's seq from before the command. As msgpack, of the bytes that are stored; a hold that this batch
did not change may be changed by a later command, and is packed at the end.
--]]
--#use packed packed_ids told_hold

local function granted(t, word, id, was)
  if not t.dirty.holds[id] then
    return {word, id, told_hold(t, id), t.seq, was}
  end
  return '\149' .. PART[word] .. HEAD[#id] .. id .. packed(t, 'holds', id) .. t.seq_packed .. PACK(was)
end
