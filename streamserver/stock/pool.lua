-- What every stock script shares: it stands in front of each of them.
-- KEYS  1 pool  2 units  3 terms  4 holds  5 deadlines  6 buyers  7 keys  8 ledger  9 operations  10 outbox
-- ARGV  1 pool name, e.g. "room:<id>"
--
-- Lua in Redis is isolated but not rolled back: a script checks everything, then writes everything, through `save()`.

local POOL, UNITS, TERMS, HOLDS, DEADLINES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local BUYERS, IDEMPOTENCY, LEDGER, OPERATIONS, OUTBOX = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local NAME = ARGV[1]
local LIMITS_SALES = string.sub(NAME, 1, 5) == 'room:' -- a room's limit counts what was bought; a store's only what is held
local SLICE = 4000 -- values in one command: Lua's unpack ends near 8,000
local COUNTERS = {'available', 'held', 'sold', 'restocked', 'removed', 'moved_in', 'moved_out', 'version', 'epoch'}

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local meta = redis.call('HMGET', POOL, 'state', 'generation', 'entries', 'closes_at', 'digest')
local pool = {
  state = meta[1],
  generation = tonumber(meta[2] or 1),
  entries = tonumber(meta[3] or 0),
  closes_at = tonumber(meta[4] or 0),
  digest = meta[5] or '', -- of all ledger entries so far: see chain.py
}

local touched = {} -- variant -> its counters, as they are after what this call did so far
local holds = {} -- hold id -> its record, likewise
local ledger = {} -- entries to be written
local writes = {holds = {}, buyers = {}, keys = {}, deadlines = {}, outbox = {}, operations = {}, settled = {}}

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
end

local function record(kind, variant, quantity, fields)
  local entry = fields or {}
  entry.n, entry.at, entry.kind, entry.variant, entry.quantity = 0, now, kind, variant, quantity
  append(entry)
end

local function record_hold(kind, id, h)
  append({ -- all fields at once: a table that grows costs Lua as much again
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

-- A held unit becomes available again; `kind` is why, and the hold's new status.
local function put_back(kind, id, hold)
  shift(hold.variant, 'held', 'available', hold.quantity)
  units(hold.variant).freed = true
  hold.status = kind
  set_count(hold.buyer, hold.variant, count(hold.buyer, hold.variant) - hold.quantity)
  write_hold(id, hold)
  add(writes.settled, id)
  record_hold(kind, id, hold)
end

-- Gives back at most `limit` holds whose deadline and grace have passed. Returns how many.
local function expire_due(limit)
  local due = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(due) do
    local hold = read_hold(id)
    if hold and hold.status == 'held' then put_back('expired', id, hold) else add(writes.settled, id) end
  end
  return #due
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
        '{"key":"%s","version":%d,"value":{"variant":"%s","available":%d,"epoch":%d}}',
        key, u.version, variant, u.available, u.epoch
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
  send_home()
  local states = write_units()
  write('HSET', HOLDS, packed_holds())
  write('HSET', BUYERS, writes.buyers)
  write('HSET', IDEMPOTENCY, writes.keys)
  write('ZADD', DEADLINES, writes.deadlines)
  write('ZREM', DEADLINES, writes.settled)
  write('HSET', OUTBOX, writes.outbox)
  write('HSET', OPERATIONS, writes.operations)
  if #ledger > 0 then
    local packed = cmsgpack.pack(ledger)
    pool.digest = redis.sha1hex(pool.digest .. packed)
    redis.call('HSET', POOL, 'entries', pool.entries, 'digest', pool.digest)
    redis.call('XADD', LEDGER, pool.generation .. '-' .. pool.entries, 'entries', packed, 'digest', pool.digest)
  end
  if pool.state == 'closing' and redis.call('ZCARD', DEADLINES) == 0 then redis.call('HSET', POOL, 'state', 'closed') end
  if #states > 0 then redis.call('PUBLISH', '{' .. NAME .. '}:bus', cmsgpack.pack({'states', states})) end
end
