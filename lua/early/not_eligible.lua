--[[
not_eligible -- the refusal of a fan who is in no cohort while only they may begin something, with when it is for all,
of the true clock; nil: he may.
--]]
--#use is_early class_of

local function not_eligible(t, fan)
  if is_early(t) and class_of(t, fan) == 0 then return {'NOT_ELIGIBLE', t.rules.public_ms or 0} end
end
