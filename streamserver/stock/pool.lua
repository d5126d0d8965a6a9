-- What every stock script shares: it stands in front of each of them.
-- KEYS  1 pool  2 units  3 terms  4 holds  5 deadlines  6 buyers  7 keys  8 ledger  9 operations  10 outbox  11 line  12 waiters
-- ARGV  1 pool name, e.g. "room:<id>"
--
-- Lua in Redis is isolated but not rolled back: a script checks everything, then writes everything, through `save()`.

local POOL, UNITS, TERMS, HOLDS, DEADLINES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local BUYERS, IDEMPOTENCY, LEDGER, OPERATIONS, OUTBOX = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local LINE, WAITERS = KEYS[11], KEYS[12]
local NAME = ARGV[1]
local LIMITS_SALES = string.sub(NAME, 1, 5) == 'room:' -- a room's limit counts what was bought; a store's only what is held
local SLICE = 4000 -- values in one command: Lua's unpack ends near 8,000
local PAIR, TRIPLE = '\146', '\147' -- MessagePack: a list of so many packed values follows

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local meta = redis.call('HMGET', POOL, 'state', 'generation', 'entries', 'closes_at', 'digest', 'paused')
local pool = {
  state = meta[1],
  generation = tonumber(meta[2] or 1),
  entries = tonumber(meta[3] or 0),
  closes_at = tonumber(meta[4] or 0),
  digest = meta[5] or '', -- of all ledger entries so far: see chain.py
  paused = meta[6], -- why nothing new is taken on for a while
}

local touched = {} -- variant -> its counters, as they are after what this call did so far
local holds = {} -- hold id -> its record, likewise
local ledger = {nil} -- packed entries to be written
local writes = { -- those of a reserve have room for one: a list that grows costs a lone hold as much as its write
  holds = {nil, nil}, buyers = {nil, nil}, keys = {nil, nil}, deadlines = {nil, nil},
  settled = {}, outbox = {}, delivered = {}, operations = {},
  line = {}, left = {}, waiters = {}, served = {},
}
local offers = {} -- {buyer, variant, hold id}: whose turn it is now

-- Whether units can still change hands here; a pause keeps new buyers out and everybody else going.
local function is_open()
  return pool.state == 'open' and (pool.closes_at == 0 or now < pool.closes_at)
end

-- Adds one value or two to a list.
local function add(list, value, second)
  local size = #list
  list[size + 1] = value
  if second ~= nil then list[size + 2] = second end
end

-- A variant's counters are one packed list: ten numbers read and written one by one took as long as all of a lone hold's writes.
local function pack_units(u)
  return cmsgpack.pack({
    u.available, u.held, u.sold, u.restocked, u.removed, u.moved_in, u.moved_out, u.version, u.epoch, u.waiting,
  })
end

local NO_UNITS = cmsgpack.pack({0, 0, 0, 0, 0, 0, 0, 0, 0, 0})

local function units(variant)
  local found = touched[variant]
  if not found then
    local c = cmsgpack.unpack(redis.call('HGET', UNITS, variant) or NO_UNITS)
    found = {
      available = c[1], held = c[2], sold = c[3], restocked = c[4], removed = c[5], moved_in = c[6], moved_out = c[7],
      version = c[8], epoch = c[9], waiting = c[10], changed = false, freed = false,
    }
    touched[variant] = found
  end
  return found
end

-- The one way in which units move: out of one counter and into another. `from` is nil when they enter the pool.
local function shift(variant, from, to, quantity)
  local u = units(variant)
  if to == 'available' and u.available == 0 then u.epoch = u.epoch + 1 end
  if from then u[from] = u[from] - quantity end
  u[to] = u[to] + quantity
  u.changed = true
end

local function terms(variant)
  local text = redis.call('HGET', TERMS, variant)
  if not text then return nil end
  local f = cmsgpack.unpack(text)
  return {price = f[1], currency = f[2], limit = f[3], home = f[4], selling = f[5], mode = f[6], source = f[7]}
end

-- A hold is a packed list of two lists: the wish, as its caller packed it, and the promise. Packed texts are joined, not packed
-- anew: a table for each hold and each ledger entry cost Lua three times as much as all of Redis's own work.
local function join_hold(wish, promise)
  return PAIR .. wish .. promise
end

local function pack_promise(h)
  return cmsgpack.pack({h.price, h.currency, h.source, h.taken_at, h.deadline, h.status, h.payment or '', h.attempt or 0})
end

local function pack_hold(h)
  return join_hold(cmsgpack.pack({h.buyer, h.variant, h.quantity, h.key, h.device}), pack_promise(h))
end

local function unpack_hold(text)
  local wish, promise = unpack(cmsgpack.unpack(text))
  return {
    buyer = wish[1], variant = wish[2], quantity = wish[3], key = wish[4], device = wish[5],
    price = promise[1], currency = promise[2], source = promise[3], taken_at = promise[4], deadline = promise[5],
    status = promise[6], payment = promise[7], attempt = promise[8],
  }
end

local function read_hold(id)
  if not holds[id] then
    local text = redis.call('HGET', HOLDS, id)
    holds[id] = text and unpack_hold(text) or nil
  end
  return holds[id]
end

local function write_hold(id, hold)
  holds[id] = hold
  add(writes.holds, id, pack_hold(hold))
end

-- A ledger entry is a packed list: {kind, fields}, or {kind, hold id, hold} and perhaps further fields. What all entries of a
-- call have in common, the first one's number and the time, save() puts in front of them.
local function append(packed)
  pool.entries = pool.entries + 1
  ledger[#ledger + 1] = packed
end

local function note(kind, fields)
  append(cmsgpack.pack({kind, fields}))
end

-- Returns the entry's number.
local function record(kind, variant, quantity, fields)
  local entry = fields or {}
  entry.variant, entry.quantity = variant, quantity
  note(kind, entry)
  return pool.entries
end

-- Short texts are packed by hand: cmsgpack's buffer costs more than the rest of an entry.
local function packed_text(text)
  return #text < 32 and string.char(160 + #text) .. text or cmsgpack.pack(text)
end

local function record_packed(kind, id, hold)
  append(TRIPLE .. packed_text(kind) .. packed_text(id) .. hold)
end

local function record_hold(kind, id, hold, more)
  if more then append('\148' .. cmsgpack.pack(kind, id) .. pack_hold(hold) .. cmsgpack.pack(more)) -- a list of four
  else record_packed(kind, id, pack_hold(hold))
  end
end

-- How many units of a variant count against a buyer's limit here; `bought` remembers what this call has read one by one or changed.
local bought = {} -- "<buyer>/<variant>" -> units
local digits = {} -- number -> text: Redis would print each with 17 digits, which costs as much as storing it

local function bought_by(field)
  local known = bought[field]
  if not known then
    known = tonumber(redis.call('HGET', BUYERS, field) or 0)
    bought[field] = known
  end
  return known
end

local function set_bought(field, value)
  bought[field] = value
  local text = digits[value] or string.format('%d', value)
  digits[value] = text
  add(writes.buyers, field, text)
end

local function count(buyer, variant)
  return bought_by(buyer .. '/' .. variant)
end

local function set_count(buyer, variant, value)
  set_bought(buyer .. '/' .. variant, value)
end

-- A new hold; `due` is when it ends unless it is paid. `packed` is the hold as text.
local function begin_hold(kind, id, packed, due)
  add(writes.deadlines, due, id)
  add(writes.holds, id, packed)
  record_packed(kind, id, packed)
end

-- Sets units aside for a hold whose buyer's count is `field` and was `before`.
local function set_aside(kind, id, variant, quantity, field, before, packed, due)
  shift(variant, 'available', 'held', quantity)
  set_bought(field, before + quantity)
  begin_hold(kind, id, packed, due)
end

-- The same from a hold's record. Returns it packed.
local function take_aside(kind, id, hold, due)
  local field, packed = hold.buyer .. '/' .. hold.variant, pack_hold(hold)
  set_aside(kind, id, hold.variant, hold.quantity, field, bought_by(field), packed, due)
  return packed
end

-- A hold ends unsold: `kind` is why, and its new status. A `wanted` one never had units.
local function let_go(kind, id, hold)
  if hold.status == 'held' then
    shift(hold.variant, 'held', 'available', hold.quantity)
    units(hold.variant).freed = true
    set_count(hold.buyer, hold.variant, count(hold.buyer, hold.variant) - hold.quantity)
    record_hold(kind, id, hold)
  else
    record_hold('wish_' .. kind, id, hold)
  end
  hold.status = kind
  write_hold(id, hold)
  add(writes.settled, id)
end

local function is_living(hold)
  return hold.status == 'held' or hold.status == 'wanted'
end

-- Lets go of at most `limit` holds whose deadline and grace have passed. Returns how many.
local function expire_due(limit)
  local due = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(due) do
    local hold = read_hold(id)
    if hold and is_living(hold) then let_go('expired', id, hold) else add(writes.settled, id) end
  end
  return #due
end

-- The line: members "<variant>/<ledger number of joining>/<hold id>" in the order of joining; `waiters` has who that is.

local function pack_waiter(w)
  return cmsgpack.pack({w.variant, w.buyer, w.device, w.source, w.patience, w.offer_ms, w.grace_ms, w.n})
end

local function read_waiter(id)
  local text = redis.call('HGET', WAITERS, id)
  if not text then return nil end
  local f = cmsgpack.unpack(text)
  return {
    variant = f[1], buyer = f[2], device = f[3], source = f[4], patience = f[5], offer_ms = f[6], grace_ms = f[7], n = f[8],
  }
end

local function member_of_line(waiter, id)
  return string.format('%s/%012d/%s', waiter.variant, waiter.n, id)
end

local function leave_line(waiter, id)
  add(writes.left, member_of_line(waiter, id))
  add(writes.served, id)
  local u = units(waiter.variant)
  u.waiting, u.changed = u.waiting - 1, true
end

local function drop_from_line(waiter, id)
  leave_line(waiter, id)
  record('leave', waiter.variant, 1, {hold = id, buyer = waiter.buyer})
end

-- What a buyer has of a variant here. What somebody took as a guest still counts after they have signed in on the same device.
local function has_already(buyer, device, variant)
  return count(buyer, variant) + (device ~= buyer and count(device, variant) or 0)
end

local function may_have_one(buyer, device, variant, t)
  return has_already(buyer, device, variant) + 1 <= t.limit
end

-- Offers the waiter one unit: an offer is a hold.
local function offer(waiter, id, t)
  local deadline = now + waiter.offer_ms
  local hold = {
    buyer = waiter.buyer, variant = waiter.variant, quantity = 1, price = t.price, currency = t.currency, deadline = deadline,
    status = 'held', source = waiter.source, device = waiter.device, key = '', taken_at = now,
  }
  local packed = take_aside('offer', id, hold, string.format('%.0f', deadline + waiter.grace_ms))
  offers[#offers + 1] = {waiter.buyer, waiter.variant, id}
  return packed
end

-- Looks at the next `most` in line; passes over who has left, or has as many as one buyer may.
local looked_at = {}
local function serve_next(variant, t, most)
  local from = looked_at[variant] or 0
  looked_at[variant] = from + most
  -- '0' comes right after '/'
  for _, member in ipairs(redis.call('ZRANGEBYLEX', LINE, '[' .. variant .. '/', '(' .. variant .. '0', 'LIMIT', from, most)) do
    local id = string.match(member, '[^/]*$')
    local waiter = read_waiter(id)
    if waiter.patience >= now and may_have_one(waiter.buyer, waiter.device, variant, t) then
      offer(waiter, id, t)
      leave_line(waiter, id)
    else
      drop_from_line(waiter, id)
    end
  end
end

-- Units that came back go to whoever waits longest, before anybody else can have them.
local function serve_line()
  if not is_open() then return end
  for variant, u in pairs(touched) do
    local t = u.available > 0 and u.waiting > 0 and terms(variant)
    while t and t.selling and u.available > 0 and u.waiting > 0 do
      serve_next(variant, t, u.available)
    end
  end
end

-- Sends `quantity` available units towards another pool. The outbox keeps them until that pool has them.
local function move_out(transfer, variant, quantity, to)
  shift(variant, 'available', 'moved_out', quantity)
  add(writes.outbox, transfer, cjson.encode({to = to, variant = variant, quantity = quantity}))
  record('move_out', variant, quantity, {transfer = transfer, to = to})
end

-- What sells no more (the pool is over, or the product was withdrawn from it) stays nowhere: freed units go home at once.
local function send_home()
  local over = pool.state == 'closing' or pool.state == 'closed'
  for variant, u in pairs(touched) do
    local t = u.available > 0 and (over or u.freed) and terms(variant)
    if t and t.home ~= '' and (over or not t.selling) then
      move_out(NAME .. ':home:' .. pool.generation .. ':' .. (pool.entries + 1), variant, u.available, t.home)
    end
  end
end

local function write(command, key, arguments)
  for from = 1, #arguments, SLICE do
    redis.call(command, key, unpack(arguments, from, math.min(from + SLICE - 1, #arguments)))
  end
end

local function write_units()
  local fields, states = {nil, nil}, {nil}
  for variant, u in pairs(touched) do
    if u.changed then
      u.version = u.version + 1
      add(fields, variant, pack_units(u))
      local key = 'stock:' .. variant
      states[#states + 1] = {key, u.version, string.format(
        '{"key":"%s","version":%.0f,"value":{"variant":"%s","available":%d,"epoch":%.0f,"waiting":%d}}',
        key, u.version, variant, u.available, u.epoch, u.waiting
      )}
    end
  end
  write('HSET', UNITS, fields)
  return states
end

-- Texts that are packed already, as one packed list.
local function packed_list(texts)
  return '\221' .. struct.pack('>I4', #texts) .. table.concat(texts)
end

-- The only place that writes. Hands out versions, ledger numbers and the news for every screen.
local function save()
  serve_line()
  send_home()
  local states = write_units()
  write('HSET', HOLDS, writes.holds)
  write('HSET', BUYERS, writes.buyers)
  write('HSET', IDEMPOTENCY, writes.keys)
  write('ZADD', DEADLINES, writes.deadlines)
  write('ZREM', DEADLINES, writes.settled)
  write('HSET', OUTBOX, writes.outbox)
  write('HDEL', OUTBOX, writes.delivered)
  write('HSET', OPERATIONS, writes.operations)
  write('ZADD', LINE, writes.line)
  write('ZREM', LINE, writes.left)
  write('HSET', WAITERS, writes.waiters)
  write('HDEL', WAITERS, writes.served)
  if #ledger > 0 then
    local packed = TRIPLE .. cmsgpack.pack(pool.entries - #ledger + 1, now) .. packed_list(ledger)
    pool.digest = redis.sha1hex(pool.digest .. packed)
    redis.call('HSET', POOL, 'state', pool.state, 'closes_at', pool.closes_at, 'entries', pool.entries, 'digest', pool.digest)
    redis.call('XADD', LEDGER, pool.generation .. '-' .. pool.entries, 'entries', packed, 'digest', pool.digest)
  end
  if pool.state == 'closing' and redis.call('ZCARD', DEADLINES) == 0 then redis.call('HSET', POOL, 'state', 'closed') end
  if #states > 0 then redis.call('PUBLISH', '{' .. NAME .. '}:bus', cmsgpack.pack({'states', states})) end
  if #offers > 0 then redis.call('PUBLISH', '{' .. NAME .. '}:bus', cmsgpack.pack({'offers', offers})) end
end
