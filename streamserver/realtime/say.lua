-- Says one word on a channel, by the rule that every script follows: sharded where the server has it, which is since it has
-- REDIS_VERSION_NUM (Redis 7). `bus.py` asks the server the same question before it listens.
-- KEYS  1 channel
-- ARGV  1 word
-- Returns how many heard it.
return redis.call(redis.REDIS_VERSION_NUM and 'SPUBLISH' or 'PUBLISH', KEYS[1], ARGV[1])
