-- Takes a place in the line for a variant, or says that it is kept. The head of the line is offered the next free unit.
-- ARGV  1 buyer  2 device  3 variant  4 hold id that an offer will have  5 ms the place is kept without being asked for again
--       6 ms an offer stands  7 grace ms
-- Answers {verdict, hold id, place, hold's fields packed} with verdict
--   waiting | offered | limit_reached (place = the limit) | not_live | paused | not_found

local buyer, device, variant, id = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local patience, offer_ms, grace_ms = now + tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local mine = buyer .. '/' .. variant
local t = terms(variant)

if not is_open() then return {'not_live', '', 0, ''} end
if pool.paused then return {'paused', '', 0, ''} end
if not t or not t.selling then return {'not_found', '', 0, ''} end

local function place(waiter, own)
  return redis.call('ZLEXCOUNT', LINE, '[' .. variant .. '/', '[' .. member_of_line(waiter, own)) -- only who came before, and oneself
end

local known = redis.call('HGET', WAITERS, mine)
local waiter = known and read_waiter(known)
if waiter then
  waiter.patience = patience
  redis.call('HSET', WAITERS, known, pack_waiter(waiter))
  return {'waiting', known, place(waiter, known), ''}
end
local hold = known and read_hold(known)
if hold and hold.status == 'held' then return {'offered', known, 0, pack_hold(hold)} end
if not may_have_one(buyer, device, variant, t) then return {'limit_reached', '', t.limit, ''} end

waiter = {
  variant = variant, buyer = buyer, device = device, source = t.source, patience = patience, offer_ms = offer_ms,
  grace_ms = grace_ms,
}
waiter.n = record('wait', variant, 1, {hold = id, buyer = buyer, source = t.source, device = device})
add(new_waiters, mine, id)
if units(variant).available > 0 then -- nobody waits while there is something
  local packed = offer(waiter, id, t)
  finish()
  return {'offered', id, 0, packed}
end
add(new_places, 0, member_of_line(waiter, id))
add(new_waiters, id, pack_waiter(waiter))
units(variant).waiting, units(variant).changed = units(variant).waiting + 1, true
finish()
return {'waiting', id, place(waiter, id), ''}
