-- Writes a changed document, its log and the terms of sale, if nobody else has changed the document since it was read.
-- KEYS  1 document  2 log  3 terms of the room's pool
-- ARGV  1 room  2 seq that was read ('' for none)  3 epoch of a new document  4 events kept  5 seconds kept
--       6 how many terms, then variant, terms JSON …  then how many fields, then field, value …  then type, data JSON of events
-- Answers the new seq, or -1 when the document has moved on. What does not differ is not written: looking costs no fsync.

local DOCUMENT, LOG, TERMS = KEYS[1], KEYS[2], KEYS[3]
local room, seen, kept, ttl = ARGV[1], ARGV[2], ARGV[4], tonumber(ARGV[5])
local known = redis.call('HMGET', DOCUMENT, 'seq', 'epoch')
if (known[1] or '') ~= seen then return -1 end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local epoch, seq = known[2] or ARGV[3], tonumber(known[1] or 0)

local function set_pairs(key, at)
  local last = at + 2 * tonumber(ARGV[at])
  for i = at + 1, last, 2 do
    if redis.call('HGET', key, ARGV[i]) ~= ARGV[i + 1] then redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
  end
  return last + 1
end

local events_at = set_pairs(DOCUMENT, set_pairs(TERMS, 6))
if not known[2] then redis.call('DEL', LOG) end -- the numbers of a lost document mean nothing any more
for i = events_at, #ARGV, 2 do
  seq = seq + 1
  local event = string.format(
    '{"epoch":"%s","seq":%d,"at":%.0f,"media_time":null,"type":"%s","data":%s}', epoch, seq, now, ARGV[i], ARGV[i + 1]
  )
  redis.call('XADD', LOG, 'MAXLEN', kept, seq .. '-1', 'event', event)
  redis.call(redis.REDIS_VERSION_NUM and 'SPUBLISH' or 'PUBLISH', '{room:' .. room .. '}:bus', cmsgpack.pack({'event', seq, event}))
end
if events_at <= #ARGV then redis.call('HSET', DOCUMENT, 'epoch', epoch, 'seq', seq) end
if redis.call('TTL', DOCUMENT) < ttl / 2 then
  redis.call('EXPIRE', DOCUMENT, ttl)
  redis.call('EXPIRE', LOG, ttl)
end
return seq
