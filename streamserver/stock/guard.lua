-- Stands between pool.lua and the scripts that need a pool: one that Redis has lost, or that is being rebuilt, is left alone.

if not pool.state then return redis.error_reply('NOPOOL ' .. NAME) end
if pool.state == 'rebuilding' or pool.state == 'archived' then return redis.error_reply('POOLAWAY ' .. NAME) end
