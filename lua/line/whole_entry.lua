--[[
whole_entry -- an entry has all its rare fields from now on.
--]]
local function whole_entry(entry)
  entry[E_TICKETS], entry[E_NONCE] = entry[E_TICKETS] or 0, entry[E_NONCE] or ''
  entry[E_CARRIED], entry[E_BOOK] = entry[E_CARRIED] or 0, entry[E_BOOK] or 0
  entry[E_MADE_GOOD], entry[E_CALL] = entry[E_MADE_GOOD] or 0, entry[E_CALL] or 0
end
