-- Gives up a place in the line.
-- ARGV  1 buyer  2 variant
-- Answers 1 when there was one, else 0.

local id = redis.call('HGET', WAITERS, ARGV[1] .. '/' .. ARGV[2])
local waiter = id and read_waiter(id)
if not waiter then return 0 end
drop_from_line(waiter, id)
finish()
return 1
