-- Writes a changed document and logs what changed, if nobody else has changed it since it was read.
-- KEYS  1 document  2 log
-- ARGV  1 room  2 seq that was read ('' for none)  3 epoch of a new document  4 events kept  5 seconds kept
--       6 how many fields, then field, value …, then type, data JSON for each event
-- Answers the new seq, or -1 when the document has moved on

local DOCUMENT, LOG = KEYS[1], KEYS[2]
local room, seen, kept, ttl = ARGV[1], ARGV[2], ARGV[4], ARGV[5]
local known = redis.call('HMGET', DOCUMENT, 'seq', 'epoch')
if (known[1] or '') ~= seen then return -1 end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local epoch, seq = known[2] or ARGV[3], tonumber(known[1] or 0)
local last = 6 + 2 * tonumber(ARGV[6])

for i = 7, last, 2 do redis.call('HSET', DOCUMENT, ARGV[i], ARGV[i + 1]) end
for i = last + 1, #ARGV, 2 do
  seq = seq + 1
  local event = string.format(
    '{"epoch":"%s","seq":%d,"at":%.0f,"media_time":null,"type":"%s","data":%s}', epoch, seq, now, ARGV[i], ARGV[i + 1]
  )
  redis.call('XADD', LOG, 'MAXLEN', kept, seq .. '-1', 'event', event)
  redis.call('PUBLISH', '{room:' .. room .. '}:bus', cmsgpack.pack({'event', seq, event}))
end
redis.call('HSET', DOCUMENT, 'epoch', epoch, 'seq', seq)
redis.call('EXPIRE', DOCUMENT, ttl)
redis.call('EXPIRE', LOG, ttl)
return seq
