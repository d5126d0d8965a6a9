-- Pins or unpins an anchor, if the pins are still those that the moderator saw. Repeating one's own operation is done.
-- KEYS  1 document  2 log  3 operations
-- ARGV  1 room  2 operation  3 version seen  4 pin|unpin  5 anchor  6 anchor to replace ('')  7 person JSON  8 most pins
--       9 events kept  10 seconds kept
-- Answers {verdict, pins JSON, last change JSON}: done | conflict | full | not_found | ended

local DOCUMENT, LOG, OPERATIONS = KEYS[1], KEYS[2], KEYS[3]
local room, operation, seen, action, anchor, replaced = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local person, most, kept, ttl = ARGV[7], tonumber(ARGV[8]), ARGV[9], ARGV[10]

local d = redis.call('HMGET', DOCUMENT, 'pins', 'anchors', 'seq', 'epoch', 'last_pin', 'status')
local text, anchors, seq, epoch, last, status = d[1], d[2], tonumber(d[3] or 0), d[4], d[5] or '', d[6]
if not text then return {'not_found', '', ''} end
if redis.call('HGET', OPERATIONS, operation) then return {'done', text, last} end
if status == 'ended' then return {'ended', text, last} end
if not string.find(anchors, ' ' .. anchor .. ' ', 1, true) then return {'not_found', text, last} end

local pins = cjson.decode(text)
if pins.version ~= seen then return {'conflict', text, last} end

local function index_of(id)
  for i, pin in ipairs(pins.pins) do if pin.anchor == id then return i end end
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local there = index_of(anchor)
if action == 'unpin' then
  if not there then return {'done', text, last} end
  table.remove(pins.pins, there)
else
  if there then return {'done', text, last} end
  if #pins.pins >= most then
    local place = replaced ~= '' and index_of(replaced)
    if not place then return {'full', text, last} end
    table.remove(pins.pins, place)
  end
  pins.pins[#pins.pins + 1] = {anchor = anchor, by = cjson.decode(person), at = now}
end
pins.version = pins.version + 1

-- cjson writes an empty list as {}: the list is written apart.
local list = {}
for i, pin in ipairs(pins.pins) do
  list[i] = string.format('{"anchor":"%s","by":%s,"at":%.0f}', pin.anchor, cjson.encode(pin.by), pin.at)
end
text = string.format('{"version":%d,"pins":[%s]}', pins.version, table.concat(list, ','))
last = string.format('{"action":"%s","anchor":"%s","by":%s,"at":%.0f}', action, anchor, person, now)
seq = seq + 1
local event = string.format(
  '{"epoch":"%s","seq":%d,"at":%.0f,"media_time":null,"type":"pins","data":%s}', epoch, seq, now, text
)
redis.call('HSET', DOCUMENT, 'pins', text, 'last_pin', last, 'seq', seq)
redis.call('HSET', OPERATIONS, operation, seq)
redis.call('XADD', LOG, 'MAXLEN', kept, seq .. '-1', 'event', event)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end
redis.call(redis.REDIS_VERSION_NUM and 'SPUBLISH' or 'PUBLISH', '{room:' .. room .. '}:bus', cmsgpack.pack({'event', seq, event}))
return {'done', text, last}
