--[[
owner_of -- whose something is now that a fan began: his own, or that of the person who adopted him as a guest.
Records of holds and entries that had ended before keep the guest's id.
--]]
--#use get

local function owner_of(t, fan_id)
  local fan = get(t, 'fans', fan_id)
  local person = fan and fan[F_PERSON]
  return person and person ~= '' and person or fan_id
end
