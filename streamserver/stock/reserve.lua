-- Sets units aside for buyers: each request is answered from what is recorded or granted from what is available.
-- KEYS  the first seven of each pool
-- ARGV  1 hold ms  2 grace ms  3 '1': answer `due` when holds have run out, for expire.lua comes first
--       4… for each pool its requests, as packed columns with a value for each:
--       {"<buyer>/<variant>", "<device>/<variant>" ('' where the device is the buyer), variant, quantity, hold id, packed wish}
-- Answers for each pool `due`, an error, or packed columns: {verdict, hold id, hold, left, epoch} with verdict
--   held | replayed | sold_out | limit_reached (left = the limit) | key_reused | not_live | paused | not_found
-- A hold's id says who asked with which key: whoever asks again finds the hold there.
-- Where it is *first paid, first served* nothing is set aside: the hold is `wanted`, and confirm.lua takes its units.
-- One packed text each way: 1,800 arguments and as many answers took redis-py longer than the rest together. Several pools in
-- one call: a lone hold takes Redis half as long without all that stands above this line.

local GIVEN = 7 -- keys of each pool
local grace_ms, looks_for_due = tonumber(ARGV[2]), ARGV[3] == '1'
local deadline = now + tonumber(ARGV[1])
local NOTHING = cmsgpack.pack(nil)

local selling, together, terms_of, counted, seen
local buyer_fields, device_fields, variants, quantities, ids, wishes
local granted -- hold id -> number of the request that this call has granted for it
local verdicts, answered, packed, lefts, epochs

local function answer(i, verdict, id, hold, left, epoch)
  verdicts[i], answered[i], packed[i], lefts[i], epochs[i] = verdict, id, hold, left, epoch
end

local function refuse(i, verdict, left, epoch)
  answer(i, verdict, '', NOTHING, left or 0, epoch or 0)
end

-- Whether this hold is what was asked for; the browser may be another one by now.
local function is_as_wished(hold, wish)
  local had, wanted = cmsgpack.unpack(hold)[1], cmsgpack.unpack(wish)
  for n = 1, 4 do
    if had[n] ~= wanted[n] then return false end
  end
  return true
end

local function replay(i)
  local id = ids[i]
  local hold = granted[id] and packed[granted[id]] or seen[i]
  if not is_as_wished(hold, wishes[i]) then return refuse(i, 'key_reused') end
  local u = units(variants[i])
  answer(i, 'replayed', id, hold, u.available, u.epoch)
end

-- With the promise that every hold of this call gets; false when there are none.
local function terms_for_sale(variant)
  local t = terms(variant)
  if t then
    local status = t.mode == 'first_paid' and 'wanted' or 'held'
    t.promise = pack_promise(t.price, t.currency, t.source, now, deadline, status)
  end
  return t or false
end

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
  if t.mode == 'first_paid' then begin_hold('wish', id, hold, together)
  else set_aside('hold', id, variants[i], quantities[i], buyer_fields[i], before, hold, together)
  end
  granted[id] = i
  answer(i, 'held', id, hold, u.available, u.epoch)
end

-- What somebody took as a guest still counts after they have signed in on the same device.
local function as_guest(i)
  return device_fields[i] == '' and 0 or bought_by(device_fields[i])
end

local function decide(i)
  if seen[i] or granted[ids[i]] then return replay(i) end
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

local function is_due()
  return looks_for_due and redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, 1)[1]
end

local function reserve(number)
  enter((number - 1) * GIVEN)
  local absent = absence()
  if absent then return absent end
  if is_due() then return redis.status_reply('due') end
  buyer_fields, device_fields, variants, quantities, ids, wishes = unpack(cmsgpack.unpack(ARGV[number + 3]))
  seen, counted = redis.call('HMGET', HOLDS, unpack(ids)), redis.call('HMGET', BUYERS, unpack(buyer_fields))
  selling, together, terms_of, granted = is_open(), promise(deadline, grace_ms), {}, {}
  verdicts, answered, packed, lefts, epochs = {nil}, {nil}, {nil}, {nil}, {nil}
  for i = 1, #ids do decide(i) end
  save()
  return '\149' .. cmsgpack.pack(verdicts, answered) .. packed_list(packed) .. cmsgpack.pack(lefts, epochs) -- a list of five
end

local answers = {nil}
for number = 1, #ARGV - 3 do
  local is_done, result = pcall(reserve, number) -- what is wrong with one pool is not the others' trouble
  answers[number] = is_done and result or type(result) == 'table' and result or redis.error_reply(result)
end
return answers
