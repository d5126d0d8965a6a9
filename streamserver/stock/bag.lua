-- Notes in the bags of one shard and day where holds are. A bag is one text, a line "<hold> <pool>" for each hold.
-- KEYS  1 hash: buyer -> bag
-- ARGV  1 seconds that it is kept  2 packed columns, a value for each hold: {buyer, "<hold> <pool>\n"}
-- Two commands for all of them instead of two for each: those took Redis twice as long.

local buyers, notes = unpack(cmsgpack.unpack(ARGV[2]))
local before = redis.call('HMGET', KEYS[1], unpack(buyers))
local bags, fields = {}, {}

local function without(bag, hold)
  local from = string.find('\n' .. bag, '\n' .. hold .. ' ', 1, true)
  if not from then return bag end
  return string.sub(bag, 1, from - 1) .. string.sub(bag, string.find(bag, '\n', from, true) + 1)
end

for i, buyer in ipairs(buyers) do
  local bag = bags[buyer] or before[i] or ''
  if bag ~= '' then bag = without(bag, string.match(notes[i], '^[^ ]+')) end -- a replay is noted once
  bags[buyer] = bag .. notes[i]
  fields[2 * i - 1], fields[2 * i] = buyer, bags[buyer]
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('EXPIRE', KEYS[1], ARGV[1])
