-- How many watch a room: one process reports its count, reports that ended are dropped, and a changed sum is published.
-- KEYS  1 {room:<id>}:viewers    hash: `p:<process>` → "count:ms", `total`, `version`
--       2 {room:<id>}:host_seen  when somebody with rights was last here, Redis time in ms
--       3 {room:<id>}:peak       the highest sum so far
--       4 {room:<id>}:people     HyperLogLog of everybody who came
-- ARGV  1 process ("" only looks)   2 count   3 "1" while somebody with rights is here   4 a report's life in ms
--       5 life of host_seen in s    6 channel of the room   7 life of peak and people in s   8 … people who came
-- Returns {version, total}.
local SLICE = 4000 -- values in one command: Lua's unpack ends near 8,000
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
for from = 8, #ARGV, SLICE do
  if redis.call('PFADD', KEYS[4], unpack(ARGV, from, math.min(from + SLICE - 1, #ARGV))) == 1 then
    redis.call('EXPIRE', KEYS[4], ARGV[7])
  end
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
  if sum > tonumber(redis.call('GET', KEYS[3]) or 0) then
    redis.call('SET', KEYS[3], string.format('%d', sum), 'EX', ARGV[7])
  end
  local json = string.format('{"key":"viewers","version":%d,"value":{"viewers":%d}}', version, sum)
  local words = cmsgpack.pack({'states', {{'viewers', version, json}}})
  redis.call(redis.REDIS_VERSION_NUM and 'SPUBLISH' or 'PUBLISH', ARGV[6], words)
end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[4]) * 6)
return {version, sum}
