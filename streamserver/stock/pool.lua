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
local COUNTERS = {'available', 'held', 'sold', 'restocked', 'removed', 'moved_in', 'moved_out', 'version', 'epoch', 'waiting'}

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
local ledger = {} -- entries to be written
local writes = {
  holds = {}, buyers = {}, keys = {}, deadlines = {}, settled = {}, outbox = {}, delivered = {}, operations = {},
  line = {}, left = {}, waiters = {}, served = {},
}
local offers = {} -- {buyer, variant, hold id}: whose turn it is now

-- Whether units can still change hands here; a pause keeps new buyers out and everybody else going.
local function is_open()
  return pool.state == 'open' and (pool.closes_at == 0 or now < pool.closes_at)
end

local function add(list, ...)
  local size = #list
  for i = 1, select('#', ...) do list[size + i] = (select(i, ...)) end
end

local function units(variant)
  local found = touched[variant]
  if not found then
    local fields = {}
    for i, counter in ipairs(COUNTERS) do fields[i] = variant .. ':' .. counter end
    local values = redis.call('HMGET', UNITS, unpack(fields))
    found = {}
    for i, counter in ipairs(COUNTERS) do found[counter] = tonumber(values[i] or 0) end
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
  return text and cjson.decode(text) or nil
end

-- A hold is a packed list: 100 bytes less than one with names.
local function hold_fields(h)
  return {
    h.buyer, h.variant, h.quantity, h.price, h.currency, h.deadline, h.status, h.source, h.payment or '', h.attempt or 0, h.key, h.taken_at,
  }
end

local function pack_hold(h)
  return cmsgpack.pack(hold_fields(h))
end

local function unpack_hold(text)
  local f = cmsgpack.unpack(text)
  return {
    buyer = f[1], variant = f[2], quantity = f[3], price = f[4], currency = f[5], deadline = f[6], status = f[7],
    source = f[8], payment = f[9], attempt = f[10], key = f[11], taken_at = f[12],
  }
end

local function read_hold(id)
  if not holds[id] then
    local text = redis.call('HGET', HOLDS, id)
    holds[id] = text and unpack_hold(text) or nil
  end
  return holds[id]
end

-- Returns the hold's fields.
local function write_hold(id, hold)
  local fields = hold_fields(hold)
  holds[id] = hold
  writes.holds[id] = fields
  return fields
end

local function append(entry)
  pool.entries = pool.entries + 1
  entry.n = pool.entries
  ledger[#ledger + 1] = entry
  return entry
end

local function record(kind, variant, quantity, fields)
  local entry = fields or {}
  entry.n, entry.at, entry.kind, entry.variant, entry.quantity = 0, now, kind, variant, quantity
  return append(entry)
end

local function record_hold(kind, id, h)
  return append({ -- all fields at once: a table that grows costs Lua as much again
    n = 0, at = now, kind = kind, variant = h.variant, quantity = h.quantity, hold = id, buyer = h.buyer, price = h.price,
    currency = h.currency, deadline = h.deadline, key = h.key, source = h.source, payment = h.payment,
  })
end

-- How many units of a variant count against a buyer's limit here; `bought` remembers what this call has read or changed.
local bought = {}
local function count(buyer, variant)
  local field = buyer .. '/' .. variant
  local known = bought[field]
  if not known then
    known = tonumber(redis.call('HGET', BUYERS, field) or 0)
    bought[field] = known
  end
  return known
end

-- The same for many at once; what this call has changed already stays.
local function read_counts(fields)
  local values = redis.call('HMGET', BUYERS, unpack(fields))
  for i, field in ipairs(fields) do bought[field] = bought[field] or tonumber(values[i] or 0) end
end

local function set_count(buyer, variant, value)
  local field = buyer .. '/' .. variant
  bought[field] = value
  add(writes.buyers, field, value)
end

-- Sets units aside; `due` is when they come back. Returns the hold's fields.
local function set_aside(kind, id, hold, due)
  shift(hold.variant, 'available', 'held', hold.quantity)
  set_count(hold.buyer, hold.variant, count(hold.buyer, hold.variant) + hold.quantity)
  add(writes.deadlines, due, id)
  record_hold(kind, id, hold)
  return write_hold(id, hold)
end

-- Notes a wish: no unit moves until it is paid.
local function want(id, hold, due)
  hold.status = 'wanted'
  add(writes.deadlines, due, id)
  record_hold('wish', id, hold)
  return write_hold(id, hold)
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
    status = 'held', source = waiter.source, key = '', taken_at = now,
  }
  set_aside('offer', id, hold, string.format('%.0f', deadline + waiter.grace_ms))
  offers[#offers + 1] = {waiter.buyer, waiter.variant, id}
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
  local fields, states = {}, {}
  for variant, u in pairs(touched) do
    if u.changed then
      u.version = u.version + 1
      for _, counter in ipairs(COUNTERS) do add(fields, variant .. ':' .. counter, u[counter]) end
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

local function packed_holds()
  local fields = {}
  for id, hold in pairs(writes.holds) do add(fields, id, cmsgpack.pack(hold)) end
  return fields
end

-- The only place that writes. Hands out versions, ledger numbers and the news for every screen.
local function save()
  serve_line()
  send_home()
  local states = write_units()
  write('HSET', HOLDS, packed_holds())
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
    local packed = cmsgpack.pack(ledger)
    pool.digest = redis.sha1hex(pool.digest .. packed)
    redis.call('HSET', POOL, 'state', pool.state, 'closes_at', pool.closes_at, 'entries', pool.entries, 'digest', pool.digest)
    redis.call('XADD', LEDGER, pool.generation .. '-' .. pool.entries, 'entries', packed, 'digest', pool.digest)
  end
  if pool.state == 'closing' and redis.call('ZCARD', DEADLINES) == 0 then redis.call('HSET', POOL, 'state', 'closed') end
  if #states > 0 then redis.call('PUBLISH', '{' .. NAME .. '}:bus', cmsgpack.pack({'states', states})) end
  if #offers > 0 then redis.call('PUBLISH', '{' .. NAME .. '}:bus', cmsgpack.pack({'offers', offers})) end
end
