#!lua flags=allow-oom
--[[
name_charges -- the provider's ids of charges, which were lost, as somebody found them. Only what is missing is written:
of charges that the drop knows, and ids that no other charge of it has.

KEYS
  drop        hash   schema, ...
  charges     hash   c<n> -> how it ended
  charge_ids  hash   c<n> -> the provider's id; =<provider's id> -> c<n>
ARGV
  rows   msgpack: number and the provider's id in turn
RETURNS
  NAMED      how many are as those rows say, now or before
  NOT_FOUND  no such drop
COST  O(r), r = rows (500 at most)
--]]
--#use refuse_newer_schema

local drop, charges, charge_ids = KEYS[1], KEYS[2], KEYS[3]
local rows = cmsgpack.unpack(ARGV[1])

local schema = redis.call('HGET', drop, 'schema')
if not schema then return cmsgpack.pack({'NOT_FOUND'}) end
refuse_newer_schema(schema)
local named = 0
for i = 1, #rows, 2 do
  local charge, id = rows[i], rows[i + 1]
  local was = redis.call('HGET', charge_ids, charge) or id
  local other = redis.call('HGET', charge_ids, BY_ID .. id) or charge
  if redis.call('HGET', charges, charge) and was == id and other == charge then
    named = named + 1
    redis.call('HSET', charge_ids, charge, id, BY_ID .. id, charge)
  end
end
return cmsgpack.pack({'NAMED', named})
