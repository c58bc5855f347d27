--[[
refuse_newer_schema -- end the script before it reads records whose layout it does not know. The store knows
the word that the error begins with; nothing was written yet.
--]]
local function refuse_newer_schema(schema)
  if tonumber(schema) > SCHEMA then error({err = 'NEWERSCHEMA ' .. schema}) end
end
