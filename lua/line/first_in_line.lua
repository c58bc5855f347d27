--[[
first_in_line -- whom a pool would call next: the head of its base lane, or of its boost lane if nobody is ready in
the base lane or its own counter says so. Returns entry id, entry and lane; nil when nobody is ready. `batch`: in the
middle of one, where not all that is ready is in the sets yet.
--]]
--#use head_of_lane head_by_now boost_is_next

local function first_ready(t, heads, pool_id, lane, batch)
  if batch then return head_by_now(t, pool_id, lane) end
  return head_of_lane(t, heads, pool_id, lane)
end

local function first_in_line(t, heads, pool_id, batch)
  local id, entry = first_ready(t, heads, pool_id, 0, batch)
  if not id or boost_is_next(t, pool_id) then
    local boost_id, boost_entry = first_ready(t, heads, pool_id, 1, batch)
    if boost_id then return boost_id, boost_entry, 1 end
  end
  return id, entry, 0
end
