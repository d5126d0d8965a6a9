-- Puts a sold unit back on sale, as the seller decided. The same operation id is applied once.
-- ARGV  2 operation id  3 hold id  4 payment that it was sold for
-- Answers 1 when the hold is returned now or was by this operation; 0 when it is not sold for this payment.

local operation, id, payment = ARGV[2], ARGV[3], ARGV[4]
if redis.call('HGET', OPERATIONS, 'return:' .. operation) then return 1 end
local hold = read_hold(id)
if not hold or hold.status ~= 'sold' or hold.payment ~= payment then return 0 end

shift(hold.variant, 'sold', 'available', hold.quantity)
units(hold.variant).freed = true
set_count(hold.buyer, hold.variant, count(hold.buyer, hold.variant) - hold.quantity)
hold.status = 'returned'
write_hold(id, hold)
add(writes.operations, 'return:' .. operation, hold.quantity)
record_hold('return', id, hold)
save()
return 1
