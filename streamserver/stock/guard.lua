-- Stands between pool.lua and the scripts that need a pool: one that Redis has lost, that is being
-- rebuilt, or that rests in SQL, is left alone.

if not pool.state then return redis.error_reply('NOPOOL ' .. NAME) end
if pool.state == 'rebuilding' or pool.state == 'resting' then return redis.error_reply('POOLAWAY ' .. NAME) end
