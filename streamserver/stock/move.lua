-- First half of a transfer: units leave this pool for another, all of them or none. Until the other pool has them they are
-- in the outbox. The same transfer id leaves once.
-- ARGV  1 transfer id  2 variant  3 quantity  4 pool that receives them
-- Answers {moved, available}: moved is 0 when there are too few.

local transfer, variant, quantity, to = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local done = redis.call('HGET', OPERATIONS, 'move:' .. transfer)
if done then return {tonumber(done), units(variant).available} end
if units(variant).available < quantity then return {0, units(variant).available} end

move_out(transfer, variant, quantity, to)
add(done_operations, 'move:' .. transfer, quantity)
finish()
return {quantity, units(variant).available}
