-- Notes in buyers' bags, all of one shard, where their new holds are.
-- KEYS  the bag of each hold   ARGV  1 seconds that a bag is kept  2 packed list, per hold: {hold id, pool}
-- One call instead of two commands a hold: those took redis-py four times as long as the holds themselves.

for i, entry in ipairs(cmsgpack.unpack(ARGV[2])) do
  redis.call('HSET', KEYS[i], entry[1], entry[2])
  redis.call('EXPIRE', KEYS[i], ARGV[1])
end
