-- Puts a sold unit back on sale, as the seller decided. The same operation id is applied once.
-- ARGV  1 operation id  2 hold id  3 payment that it was sold for  4 attempt that sold it ('' for any)
-- Answers 1 when the hold is returned now or was by this operation; 0 when it is not sold for this payment, or a later attempt
-- has confirmed it since.

local operation, id, payment, attempt = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('HGET', OPERATIONS, 'return:' .. operation) then return 1 end
local hold = read_hold(id)
if not hold or hold.status ~= 'sold' or hold.payment ~= payment then return 0 end
if attempt ~= '' and hold.attempt ~= tonumber(attempt) then return 0 end

shift(hold.variant, 'sold', 'available', hold.quantity)
units(hold.variant).freed = true
if LIMITS_SALES then set_count(hold.buyer, hold.variant, count(hold.buyer, hold.variant) - hold.quantity) end
hold.status = 'returned'
write_hold(id, hold)
add(done_operations, 'return:' .. operation, hold.quantity)
record_hold('return', id, hold, {operation = operation})
finish()
return 1
