--[[
granted -- the outcome of a command about a hold that was carried out, as msgpack: its word, the hold as it
stands now, the log's length, and the fan's seq from before the command.
--]]
--#use packed

local function granted(t, word, id, was)
  return '\149' .. PART[word] .. HEAD[#id] .. id .. packed(t, 'holds', id) .. t.seq_packed
    .. PACK(was)
end
