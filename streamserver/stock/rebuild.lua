-- Writes a lost pool anew, step by step, from what SQL remembers. Whoever began last is the only one who may go on.
-- ARGV  1 token of whoever rebuilds  2 step
--   begin  3 generation  4 entries  5 digest  6 "<number>:<hash>" of the newest archived entry
--   put    3 number of the key  4 packed flat list: members and scores of a sorted set, fields and values of a hash
--   open   3 state  4 closes_at  5 packed list of ledger entries that are added  6 packed list of variants that somebody waits for
-- Answers 1, or 0 for a token that was overtaken

local token, step = ARGV[1], ARGV[2]

if step == 'begin' then
  redis.call('UNLINK', UNITS, HOLDS, DEADLINES, BUYERS, LEDGER, OPERATIONS, OUTBOX, LINE, WAITERS)
  redis.call(
    'HSET', POOL, 'state', 'rebuilding', 'rebuilder', token, 'generation', ARGV[3], 'entries', ARGV[4], 'digest', ARGV[5],
    'archived', ARGV[6]
  )
  redis.call('HDEL', POOL, 'paused')
  return 1
end
if pool.state ~= 'rebuilding' or redis.call('HGET', POOL, 'rebuilder') ~= token then return 0 end

if step == 'put' then
  local key = KEYS[tonumber(ARGV[3])]
  write((key == DEADLINES or key == LINE) and 'ZADD' or 'HSET', key, cmsgpack.unpack(ARGV[4]))
  return 1
end

pool.state, pool.closes_at, pool.changed = ARGV[3], tonumber(ARGV[4]), true
for _, entry in ipairs(cmsgpack.unpack(ARGV[5])) do
  note(entry.kind, entry)
end
note('rebuilt', {state = pool.state, closes_at = pool.closes_at})
for _, variant in ipairs(cmsgpack.unpack(ARGV[6])) do units(variant) end -- finish() serves their lines
redis.call('HDEL', POOL, 'rebuilder')
finish()
return 1
