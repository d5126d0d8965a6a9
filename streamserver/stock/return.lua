-- Puts a sold unit back on sale, as the seller decided. The same operation id is applied once.
-- ARGV  2 operation id  3 hold id
-- Answers 1 when the hold is returned now or was by this operation, else 0.

local operation, id = ARGV[2], ARGV[3]
if redis.call('HGET', OPERATIONS, 'return:' .. operation) then return 1 end
local hold = read_hold(id)
if not hold or hold.status ~= 'sold' then return 0 end

shift(hold.variant, 'sold', 'available', hold.quantity)
units(hold.variant).freed = true
set_count(hold.buyer, hold.variant, count(hold.buyer, hold.variant) - hold.quantity)
hold.status = 'returned'
write_hold(id, hold)
add(writes.operations, 'return:' .. operation, hold.quantity)
record_hold('return', id, hold)
save()
return 1
