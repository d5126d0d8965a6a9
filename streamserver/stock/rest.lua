-- Frees the memory of a pool that is over and archived: its holds are in SQL, and come back from there when somebody asks.
-- Counters stay, for the room's figures.
-- Answers 1, or 0 when something is left to do in it

local is_done = redis.call('XLEN', LEDGER) == 0 and redis.call('HLEN', OUTBOX) == 0
if pool.state ~= 'closed' or not is_done then return 0 end
redis.call('HSET', POOL, 'state', 'resting')
redis.call('UNLINK', TERMS, HOLDS, DEADLINES, BUYERS, LEDGER, OPERATIONS, OUTBOX, LINE, WAITERS)
return 1
