--[[
way_of -- the way of the drop's rules that has this id, nil where the drop has none; else why these holds cannot be had that
way: a drop with ways wants one of them to be named, and some are there for the pools of some nodes alone.
--]]

local function has_node(way, pool_id)
  local node = string.match(pool_id, '@(.*)$')
  if not node or not way.nodes or not way.nodes[1] then return true end
  for _, name in ipairs(way.nodes) do
    if name == node then return true end
  end
  return false
end

local function way_of(t, id, holds)
  local ways = t.rules.ways or {}
  if id == '' then
    if ways[1] then return nil, {'BAD_MESSAGE', 'way is missing: this drop has some'} end
    return nil
  end
  for _, way in ipairs(ways) do
    if way.id == id then
      for _, hold in ipairs(holds) do
        if not has_node(way, hold[H_POOL]) then return nil, {'NOT_FOUND'} end
      end
      return way
    end
  end
  return nil, {'NOT_FOUND'}
end
