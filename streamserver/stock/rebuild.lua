-- Writes a lost pool anew, step by step, from what SQL remembers. Whoever began last is the only one who may go on.
-- ARGV  2 token of whoever rebuilds  3 step
--   begin  4 generation  5 entries  6 digest  7 "<number>:<hash>" of the newest archived entry
--   put    4 number of the key  5 packed flat list: members and scores of a sorted set, fields and values of a hash
--   open   4 state  5 closes_at  6 packed list of ledger entries that are added  7 packed list of variants that somebody waits for
-- Answers 1, or 0 for a token that was overtaken

local token, step = ARGV[2], ARGV[3]

if step == 'begin' then
  redis.call('UNLINK', UNITS, HOLDS, DEADLINES, BUYERS, IDEMPOTENCY, LEDGER, OPERATIONS, OUTBOX, LINE, WAITERS)
  redis.call(
    'HSET', POOL, 'state', 'rebuilding', 'rebuilder', token, 'generation', ARGV[4], 'entries', ARGV[5], 'digest', ARGV[6],
    'archived', ARGV[7]
  )
  redis.call('HDEL', POOL, 'paused')
  return 1
end
if pool.state ~= 'rebuilding' or redis.call('HGET', POOL, 'rebuilder') ~= token then return 0 end

if step == 'put' then
  local key = KEYS[tonumber(ARGV[4])]
  write((key == DEADLINES or key == LINE) and 'ZADD' or 'HSET', key, cmsgpack.unpack(ARGV[5]))
  return 1
end

pool.state, pool.closes_at = ARGV[4], tonumber(ARGV[5])
for _, entry in ipairs(cmsgpack.unpack(ARGV[6])) do
  note(entry.kind, entry)
end
note('rebuilt', {state = pool.state, closes_at = pool.closes_at})
for _, variant in ipairs(cmsgpack.unpack(ARGV[7])) do units(variant) end -- finish() serves their lines
redis.call('HDEL', POOL, 'rebuilder')
finish()
return 1
