-- Second half of a transfer: units arrive from another pool. The same transfer id arrives once.
-- ARGV  1 transfer id  2 variant  3 quantity  4 pool that they come from
-- Answers what is available now.

local transfer, variant, quantity, from = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
if not redis.call('HGET', OPERATIONS, 'receive:' .. transfer) then
  shift(variant, nil, 'moved_in', quantity)
  shift(variant, nil, 'available', quantity)
  units(variant).freed = true
  record('move_in', variant, quantity, {transfer = transfer, from = from})
  add(done_operations, 'receive:' .. transfer, quantity)
  finish()
end
return units(variant).available
