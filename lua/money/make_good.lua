--[[
make_good -- a fan's payment came too late and buys nothing: once in a drop his open entry stands above all points for
it, or, where he has none, a new one for what he had. Returns that entry's id, '' where his orders leave no room for one.
--]]
--#use open_entry can_serve enter_line rerank emit

local function make_good(t, fan_id, fan, pool_id, qty)
  local id, entry = open_entry(t, fan)
  if not id and not can_serve(t, fan, {pool_id}) then return '' end
  fan[F_MAKEGOOD] = 1
  if not id then return (enter_line(t, fan_id, '', qty, {pool_id}, 'makegood')) end
  local book = entry[E_BOOK] or 0
  rerank(t, id, entry, entry[E_POINTS], book, 1)
  emit(t, 'pointed', fan_id, '"entry":"' .. id .. '","points":' .. entry[E_POINTS] .. ',"book":' .. string.format('%d', book)
    .. ',"why":"makegood"')
  return id
end
