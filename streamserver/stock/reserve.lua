-- Sets units aside for buyers: each request is answered from what is recorded or granted from what is available.
-- ARGV  2 hold ms  3 grace ms  4 expire at most  then per request: key, digest, buyer, variant, quantity, hold id, device
-- Answers a list, per request: {verdict, hold id, packed hold, left, epoch} with verdict
--   held | replayed | sold_out | limit_reached (left = the limit) | key_reused | not_live | not_found

local hold_ms, grace_ms, expire_limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local WIDTH, FIRST = 7, 5

expire_due(expire_limit)
send_home()
local selling = pool.state == 'open' and (pool.closes_at == 0 or now < pool.closes_at)

local requests, key_fields = {}, {}
for at = FIRST, #ARGV, WIDTH do
  local r = {
    key = ARGV[at], digest = ARGV[at + 1], buyer = ARGV[at + 2], variant = ARGV[at + 3], quantity = tonumber(ARGV[at + 4]),
    id = ARGV[at + 5], device = ARGV[at + 6],
  }
  requests[#requests + 1] = r
  key_fields[#key_fields + 1] = r.buyer .. '/' .. r.key
end

local seen = redis.call('HMGET', IDEMPOTENCY, unpack(key_fields))
local known, terms_of = {}, {}
for i, field in ipairs(key_fields) do known[field] = known[field] or seen[i] end

local function replay(found, digest)
  local id, bound = string.match(found, '^(.*)|(.*)$')
  if bound ~= digest then return {'key_reused', '', '', 0, 0} end
  local hold = read_hold(id)
  return {'replayed', id, pack_hold(hold), units(hold.variant).available, units(hold.variant).epoch}
end

local function grant(r, t)
  t.source.device = r.device
  local hold = {
    buyer = r.buyer, variant = r.variant, quantity = r.quantity, price = t.price, currency = t.currency,
    deadline = now + hold_ms, status = 'held', source = cjson.encode(t.source), key = r.key, taken_at = now,
  }
  shift(r.variant, 'available', 'held', r.quantity)
  set_count(r.buyer, r.variant, count(r.buyer, r.variant) + r.quantity)
  write_hold(r.id, hold)
  known[r.buyer .. '/' .. r.key] = r.id .. '|' .. r.digest
  add(writes.keys, r.buyer .. '/' .. r.key, r.id .. '|' .. r.digest)
  add(writes.deadlines, hold.deadline + grace_ms, r.id)
  record_hold('hold', r.id, hold)
  return {'held', r.id, pack_hold(hold), units(r.variant).available, units(r.variant).epoch}
end

-- What somebody took as a guest still counts after they have signed in on the same device.
local function held_by(r)
  local as_guest = r.device ~= r.buyer and count(r.device, r.variant) or 0
  return count(r.buyer, r.variant) + as_guest
end

local function answer(r)
  local found = known[r.buyer .. '/' .. r.key]
  if found then return replay(found, r.digest) end
  if not pool.state then return {'not_found', '', '', 0, 0} end
  if not selling then return {'not_live', '', '', 0, 0} end
  if terms_of[r.variant] == nil then terms_of[r.variant] = terms(r.variant) or false end
  local t = terms_of[r.variant]
  if not t or not t.selling then return {'not_found', '', '', 0, 0} end
  if held_by(r) + r.quantity > t.limit then return {'limit_reached', '', '', t.limit, 0} end
  local u = units(r.variant)
  if u.available < r.quantity then return {'sold_out', '', '', u.available, u.epoch} end
  return grant(r, t)
end

local answers = {}
for i, r in ipairs(requests) do answers[i] = answer(r) end
save()
return answers
