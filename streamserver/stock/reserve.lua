-- Sets units aside for buyers: each request is answered from what is recorded or granted from what is available.
-- ARGV  2 hold ms  3 grace ms  4 '1': answer `due` when holds have run out, for expire.lua comes first  5 packed columns, a value for each request:
--       {"<buyer>/<key>", digest, "<buyer>/<variant>", "<device>/<variant>" ('' where the device is the buyer), variant, quantity,
--       hold id, packed wish}
-- Answers packed columns: {verdict, hold id, hold, left, epoch} with verdict
--   held | replayed | sold_out | limit_reached (left = the limit) | key_reused | not_live | paused | not_found
-- Where it is *first paid, first served* nothing is set aside: the hold is `wanted`, and confirm.lua takes its units.
-- One packed text each way: 1,800 arguments and as many answers took redis-py longer than the rest together.

if ARGV[4] == '1' and redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, 1)[1] then
  return redis.status_reply('due')
end

local deadline = now + tonumber(ARGV[2])
local due = string.format('%.0f', deadline + tonumber(ARGV[3]))
local NOTHING = cmsgpack.pack(nil)

local selling = is_open()

local keys, digests, buyer_fields, device_fields, variants, quantities, ids, wishes = unpack(cmsgpack.unpack(ARGV[5]))
local seen = redis.call('HMGET', IDEMPOTENCY, unpack(keys))
local counted = redis.call('HMGET', BUYERS, unpack(buyer_fields))
local granted = {} -- key -> number of the request that this call has granted for it
local verdicts, answered, packed, lefts, epochs = {nil}, {nil}, {nil}, {nil}, {nil}

local function answer(i, verdict, id, hold, left, epoch)
  verdicts[i], answered[i], packed[i], lefts[i], epochs[i] = verdict, id, hold, left, epoch
end

local function refuse(i, verdict, left, epoch)
  answer(i, verdict, '', NOTHING, left or 0, epoch or 0)
end

local function replay(i)
  local first = granted[keys[i]]
  local id, digest
  if first then id, digest = ids[first], digests[first] else id, digest = string.match(seen[i], '^(.*)|(.*)$') end
  if digest ~= digests[i] then return refuse(i, 'key_reused') end
  local u = units(variants[i])
  answer(i, 'replayed', id, first and packed[first] or redis.call('HGET', HOLDS, id), u.available, u.epoch)
end

-- With the promise that every hold of this call gets; false when there are none.
local function terms_for_sale(variant)
  local t = terms(variant)
  if t then
    t.promise = pack_promise({
      price = t.price, currency = t.currency, source = t.source, taken_at = now, deadline = deadline,
      status = t.mode == 'first_paid' and 'wanted' or 'held',
    })
  end
  return t or false
end

local terms_of = {}
local function terms_now(variant)
  local t = terms_of[variant]
  if t == nil then
    t = terms_for_sale(variant)
    terms_of[variant] = t
  end
  return t
end

local function grant(i, t, u, before)
  local id, hold = ids[i], join_hold(wishes[i], t.promise)
  if t.mode == 'first_paid' then begin_hold('wish', id, hold, due)
  else set_aside('hold', id, variants[i], quantities[i], buyer_fields[i], before, hold, due)
  end
  granted[keys[i]] = i
  add(new_keys, keys[i], id .. '|' .. digests[i])
  answer(i, 'held', id, hold, u.available, u.epoch)
end

-- What somebody took as a guest still counts after they have signed in on the same device.
local function as_guest(i)
  return device_fields[i] == '' and 0 or bought_by(device_fields[i])
end

local function decide(i)
  if seen[i] or granted[keys[i]] then return replay(i) end
  if not selling then return refuse(i, 'not_live') end
  if pool.paused then return refuse(i, 'paused') end
  local t = terms_now(variants[i])
  if not t or not t.selling then return refuse(i, 'not_found') end
  local before = bought[buyer_fields[i]] or tonumber(counted[i] or 0)
  if before + as_guest(i) + quantities[i] > t.limit then return refuse(i, 'limit_reached', t.limit) end
  local u = units(variants[i])
  if u.available < quantities[i] then return refuse(i, 'sold_out', u.available, u.epoch) end
  grant(i, t, u, before)
end

for i = 1, #keys do decide(i) end
save()
return '\149' .. cmsgpack.pack(verdicts, answered) .. packed_list(packed) .. cmsgpack.pack(lefts, epochs) -- a list of five
