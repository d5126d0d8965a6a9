-- How many watch a room: one process reports its count, reports that ended are dropped, and a changed sum is published.
-- KEYS  1 {room:<id>}:viewers    hash: `p:<process>` → "count:ms", `total`, `version`
--       2 {room:<id>}:host_seen  when somebody with rights was last here, Redis time in ms
-- ARGV  1 process ("" only looks)   2 count   3 "1" while somebody with rights is here   4 a report's life in ms
--       5 life of host_seen in s    6 channel of the room
-- Returns {version, total}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if ARGV[1] ~= '' then
  if tonumber(ARGV[2]) > 0 then
    redis.call('HSET', KEYS[1], 'p:' .. ARGV[1], string.format('%d:%d', ARGV[2], now))
  else
    redis.call('HDEL', KEYS[1], 'p:' .. ARGV[1])
  end
end
if ARGV[3] == '1' then
  redis.call('SET', KEYS[2], string.format('%d', now), 'EX', ARGV[5])
end

local fields = redis.call('HGETALL', KEYS[1])
local sum, total, version = 0, 0, 0
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'total' then
    total = tonumber(value)
  elseif name == 'version' then
    version = tonumber(value)
  else
    local count, at = value:match('^(%d+):(%d+)$')
    if now - tonumber(at) > tonumber(ARGV[4]) then
      redis.call('HDEL', KEYS[1], name)
    else
      sum = sum + tonumber(count)
    end
  end
end

-- Versions follow the clock, so that they still rise after this key was lost or expired.
if sum ~= total or (version == 0 and sum > 0) then
  version = math.max(version + 1, now)
  redis.call('HSET', KEYS[1], 'total', string.format('%d', sum), 'version', string.format('%d', version))
  local json = string.format('{"key":"viewers","version":%d,"value":{"viewers":%d}}', version, sum)
  redis.call('PUBLISH', ARGV[6], cmsgpack.pack({'states', {{'viewers', version, json}}}))
end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[4]) * 6)
return {version, sum}
