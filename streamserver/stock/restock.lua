-- Adds units to a pool, or removes at most what is available. The same operation id is applied once.
-- ARGV  1 operation id  2 variant  3 delta
-- Answers {applied, available}

local operation, variant, delta = ARGV[1], ARGV[2], tonumber(ARGV[3])
local done = redis.call('HGET', OPERATIONS, 'restock:' .. operation)
if done then return {tonumber(done), units(variant).available} end

local applied = math.max(delta, -units(variant).available)
if applied > 0 then
  shift(variant, nil, 'restocked', applied)
  shift(variant, nil, 'available', applied)
  record('restock', variant, applied, {operation = operation})
else
  shift(variant, 'available', 'removed', -applied)
  record('remove', variant, -applied, {operation = operation}) -- also of none: a repeat must find it
end
add(done_operations, 'restock:' .. operation, applied)
finish()
return {applied, units(variant).available}
