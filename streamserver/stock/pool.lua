-- What every stock script shares: it stands in front of each of them. Each function here is made anew in every call, which is a
-- good part of what a lone hold costs: what a reserve does not need is in holds.lua, line.lua and home.lua.
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
local ledger = {nil} -- packed entries to be written
local writes = {} -- what save() writes, in this order

-- The values that one command will write to one key. With room for a pair: a list that grows costs a lone hold as much as its write.
local function to_write(command, key)
  local values = {nil, nil}
  writes[#writes + 1] = {command, key, values}
  return values
end

local new_holds, new_counts = to_write('HSET', HOLDS), to_write('HSET', BUYERS)
local new_keys, new_deadlines = to_write('HSET', IDEMPOTENCY), to_write('ZADD', DEADLINES)

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

-- A ledger entry is a packed list: {kind, fields}, or {kind, hold id, hold} and perhaps further fields. What all entries of a
-- call have in common, the first one's number and the time, save() puts in front of them.
local function append(packed)
  pool.entries = pool.entries + 1
  ledger[#ledger + 1] = packed
end

-- Short texts are packed by hand: cmsgpack's buffer costs more than the rest of an entry.
local function packed_text(text)
  return #text < 32 and string.char(160 + #text) .. text or cmsgpack.pack(text)
end

local function record_packed(kind, id, hold)
  append(TRIPLE .. packed_text(kind) .. packed_text(id) .. hold)
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
  add(new_counts, field, text)
end

-- A new hold; `due` is when it ends unless it is paid. `packed` is the hold as text.
local function begin_hold(kind, id, packed, due)
  add(new_deadlines, due, id)
  add(new_holds, id, packed)
  record_packed(kind, id, packed)
end

-- Sets units aside for a hold whose buyer's count is `field` and was `before`.
local function set_aside(kind, id, variant, quantity, field, before, packed, due)
  shift(variant, 'available', 'held', quantity)
  set_bought(field, before + quantity)
  begin_hold(kind, id, packed, due)
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
  local states = write_units()
  for _, one in ipairs(writes) do write(one[1], one[2], one[3]) end
  if #ledger > 0 then
    local packed = TRIPLE .. cmsgpack.pack(pool.entries - #ledger + 1, now) .. packed_list(ledger)
    pool.digest = redis.sha1hex(pool.digest .. packed)
    redis.call('HSET', POOL, 'state', pool.state, 'closes_at', pool.closes_at, 'entries', pool.entries, 'digest', pool.digest)
    redis.call('XADD', LEDGER, pool.generation .. '-' .. pool.entries, 'entries', packed, 'digest', pool.digest)
  end
  if pool.state == 'closing' and redis.call('ZCARD', DEADLINES) == 0 then redis.call('HSET', POOL, 'state', 'closed') end
  if #states > 0 then redis.call('PUBLISH', '{' .. NAME .. '}:bus', cmsgpack.pack({'states', states})) end
end
