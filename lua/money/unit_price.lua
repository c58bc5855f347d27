--[[
unit_price -- what one unit of a hold costs by a way: some take something off, down to nothing.
--]]

local function unit_price(hold, way)
  return math.max(0, hold[H_PRICE] - (way and way.off or 0))
end
