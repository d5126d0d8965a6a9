-- Sets units aside for buyers: each request is answered from what is recorded or granted from what is available.
-- ARGV  2 hold ms  3 grace ms  4 expire at most  5 packed list of requests: {key, digest, buyer, variant, quantity, hold id, device}
-- Answers a packed list, per request: {verdict, hold id, hold's fields, left, epoch} with verdict
--   held | replayed | sold_out | limit_reached (left = the limit) | key_reused | not_live | paused | not_found
-- Where it is *first paid, first served* nothing is set aside: the hold is `wanted`, and confirm.lua takes its units.
-- One packed text each way: 1,800 arguments and as many answers took redis-py longer than the rest together.

local hold_ms, grace_ms, expire_limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local deadline = now + hold_ms
local due = string.format('%.0f', deadline + grace_ms)

expire_due(expire_limit)
serve_line()
send_home()
local selling = is_open()

local requests, key_fields, counted = {}, {}, {}
for i, f in ipairs(cmsgpack.unpack(ARGV[5])) do
  local r = {key = f[1], digest = f[2], buyer = f[3], variant = f[4], quantity = f[5], id = f[6], device = f[7]}
  r.field = r.buyer .. '/' .. r.key
  requests[i], key_fields[i] = r, r.field
  counted[#counted + 1] = r.buyer .. '/' .. r.variant
  if r.device ~= r.buyer then counted[#counted + 1] = r.device .. '/' .. r.variant end
end

local seen = redis.call('HMGET', IDEMPOTENCY, unpack(key_fields))
local known, terms_of = {}, {}
for i, field in ipairs(key_fields) do known[field] = known[field] or seen[i] end
read_counts(counted)

local function replay(found, digest)
  local id, bound = string.match(found, '^(.*)|(.*)$')
  if bound ~= digest then return {'key_reused', '', {}, 0, 0} end
  local hold = read_hold(id)
  return {'replayed', id, hold_fields(hold), units(hold.variant).available, units(hold.variant).epoch}
end

-- With the source as text that waits for the device; false when there are none.
local function terms_for_sale(variant)
  local t = terms(variant)
  if t then t.source_head = string.sub(cjson.encode(t.source), 1, -2) .. ',"device":' end
  return t or false
end

local function grant(r, t)
  local hold = {
    buyer = r.buyer, variant = r.variant, quantity = r.quantity, price = t.price, currency = t.currency,
    deadline = deadline, status = 'held', source = t.source_head .. cjson.encode(r.device) .. '}', key = r.key, taken_at = now,
  }
  local fields = t.mode == 'first_paid' and want(r.id, hold, due) or set_aside('hold', r.id, hold, due)
  known[r.field] = r.id .. '|' .. r.digest
  add(writes.keys, r.field, known[r.field])
  return {'held', r.id, fields, units(r.variant).available, units(r.variant).epoch}
end

local function answer(r)
  local found = known[r.field]
  if found then return replay(found, r.digest) end
  if not selling then return {'not_live', '', {}, 0, 0} end
  if pool.paused then return {'paused', '', {}, 0, 0} end
  if terms_of[r.variant] == nil then terms_of[r.variant] = terms_for_sale(r.variant) end
  local t = terms_of[r.variant]
  if not t or not t.selling then return {'not_found', '', {}, 0, 0} end
  if has_already(r.buyer, r.device, r.variant) + r.quantity > t.limit then return {'limit_reached', '', {}, t.limit, 0} end
  local u = units(r.variant)
  if u.available < r.quantity then return {'sold_out', '', {}, u.available, u.epoch} end
  return grant(r, t)
end

local answers = {}
for i, r in ipairs(requests) do answers[i] = answer(r) end
save()
return cmsgpack.pack(answers)
