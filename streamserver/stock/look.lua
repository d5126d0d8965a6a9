-- A whole pool at one moment. A script, not MULTI: above `maxmemory` Redis refuses all that is queued, also what only reads.
-- KEYS  1 pool  2 units  3 holds  4 buyers  5 outbox (hashes)  6 deadlines  7 ledger
-- Answers what each of them has.

local found = {}
for i = 1, 5 do found[i] = redis.call('HGETALL', KEYS[i]) end
found[6] = redis.call('ZRANGE', KEYS[6], 0, -1)
found[7] = redis.call('XRANGE', KEYS[7], '-', '+')
return found
