-- Moves a pool through its life: waiting -> open -> closing -> closed.
-- ARGV  1 action  2 for `end_at`: ms from now; for `close`: the closing time that was seen, so that an undo is not overrun; for
--         `pause`: why  3 '1' when nobody has ever known this pool
--   create  make it `waiting` (a room before its start)     open    begin selling (a shop's pool at once)
--   end_at  stop selling in so many ms                      reopen  undo that, while there is time
--   close   stop selling now, send what is left home; `closed` follows when nothing is held
--   pause   take on nothing new; whoever has a hold can still pay      resume  end that
-- Answers {state, closes_at}; for `reopen` after the time {'too_late', closes_at}; {'unknown', 0} for a pool that may be lost

local action, is_new = ARGV[1], ARGV[3] == '1'
if not pool.state and not is_new then return {'unknown', 0} end

local function set(state, closes_at)
  pool.state, pool.closes_at, pool.changed = state, closes_at, true
  note('life', {state = state, closes_at = closes_at})
end

if action == 'create' then
  if not pool.state then set('waiting', 0) end
elseif action == 'open' then
  if not pool.state or pool.state == 'waiting' then set('open', 0) end
elseif action == 'end_at' then
  if pool.state == 'open' and pool.closes_at == 0 then set('open', now + tonumber(ARGV[2])) end
elseif action == 'reopen' then
  if not is_open() then return {'too_late', pool.closes_at} end
  if pool.closes_at > 0 then set('open', 0) end
elseif action == 'pause' then
  if pool.state == 'open' then redis.call('HSET', POOL, 'paused', ARGV[2]) end
elseif action == 'resume' then
  redis.call('HDEL', POOL, 'paused')
elseif action == 'close' and pool.closes_at == tonumber(ARGV[2]) and (pool.state == 'open' or pool.state == 'waiting') then
  for _, variant in ipairs(redis.call('HKEYS', TERMS)) do
    local u = units(variant)
    if u.waiting > 0 then u.waiting, u.changed = 0, true end
  end
  set('closing', pool.closes_at)
  redis.call('UNLINK', LINE, WAITERS) -- nobody's turn will come
end
if #ledger > 0 then finish() end
return {redis.call('HGET', POOL, 'state'), pool.closes_at}
