-- Moves a pool through its life: waiting -> open -> closing -> closed.
-- ARGV  2 action  3 for `end_at`: ms from now; for `close`: the closing time that was seen, so that an undo is not overrun
--   create  make it `waiting` (a room before its start)     open    begin selling (a shop's pool at once)
--   end_at  stop selling in so many ms                      reopen  undo that, while there is time
--   close   stop selling now, send what is left home; `closed` follows when nothing is held
-- Answers {state, closes_at}; for `reopen` after the time, {'too_late', closes_at}

local action = ARGV[2]

local function set(state, closes_at)
  pool.state, pool.closes_at = state, closes_at
  redis.call('HSET', POOL, 'state', state, 'closes_at', closes_at, 'generation', pool.generation, 'entries', pool.entries)
end

if action == 'create' then
  if not pool.state then set('waiting', 0) end
elseif action == 'open' then
  if not pool.state or pool.state == 'waiting' then set('open', 0) end
elseif action == 'end_at' then
  if pool.state == 'open' and pool.closes_at == 0 then set('open', now + tonumber(ARGV[3])) end
elseif action == 'reopen' then
  if pool.state ~= 'open' or (pool.closes_at > 0 and now >= pool.closes_at) then return {'too_late', pool.closes_at} end
  set('open', 0)
elseif action == 'close' and pool.closes_at == tonumber(ARGV[3]) then
  for _, variant in ipairs(redis.call('HKEYS', TERMS)) do units(variant) end
  if pool.state == 'open' or pool.state == 'waiting' then set('closing', pool.closes_at) end
  if pool.state == 'closing' then save() end
end
return {redis.call('HGET', POOL, 'state'), pool.closes_at}
