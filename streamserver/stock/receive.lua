-- Second half of a transfer: units arrive from another pool. The same transfer id arrives once.
-- ARGV  2 transfer id  3 variant  4 quantity  5 pool that they come from
-- Answers what is available now.

local transfer, variant, quantity, from = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
if not redis.call('HGET', OPERATIONS, 'receive:' .. transfer) then
  shift(variant, nil, 'moved_in', quantity)
  shift(variant, nil, 'available', quantity)
  units(variant).freed = true
  record('move_in', variant, quantity, {transfer = transfer, from = from})
  add(done_operations, 'receive:' .. transfer, quantity)
  finish()
end
return units(variant).available
