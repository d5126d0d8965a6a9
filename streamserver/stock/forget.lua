-- Takes holds out of a buyer's bags.
-- KEYS  the hash of each day: buyer -> bag   ARGV  1 buyer  2… hold ids

local gone = {}
for i = 2, #ARGV do gone[ARGV[i]] = true end

local function without(bag)
  return (string.gsub(bag, '([^ \n]+) [^\n]*\n', function(hold) return gone[hold] and '' or nil end))
end

for _, key in ipairs(KEYS) do
  local bag = redis.call('HGET', key, ARGV[1])
  local left = bag and without(bag)
  if left == '' then redis.call('HDEL', key, ARGV[1]) elseif left and left ~= bag then redis.call('HSET', key, ARGV[1], left) end
end
