--[[
code_points -- the characters of a text as numbers, or nil when it is not UTF-8: an event that carried it could
not be read back.
--]]
local LEAST = {[0] = 0, 0x80, 0x800, 0x10000}

local function followers(lead)
  if lead < 0x80 then return 0 end
  if lead >= 0xC2 and lead < 0xE0 then return 1 end
  if lead >= 0xE0 and lead < 0xF0 then return 2 end
  if lead >= 0xF0 and lead < 0xF5 then return 3 end
end

local function code_points(text)
  local codes, at = {}, 1
  while at <= #text do
    local code = string.byte(text, at)
    local more = followers(code)
    if not more then return nil end
    if more > 0 then code = code % 2 ^ (6 - more) end
    for i = at + 1, at + more do
      local byte = string.byte(text, i)
      if not byte or byte < 0x80 or byte >= 0xC0 then return nil end
      code = code * 64 + byte % 64
    end
    if code < LEAST[more] or code > 0x10FFFF or (code >= 0xD800 and code <= 0xDFFF) then return nil end
    codes[#codes + 1] = code
    at = at + more + 1
  end
  return codes
end
