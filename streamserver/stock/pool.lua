-- What every stock script shares: it stands in front of each of them. Each function here is made anew in every call, which is a
-- good part of what a lone hold costs: what a reserve does not need is in holds.lua, line.lua and home.lua.
-- KEYS  1 pool  2 units  3 terms  4 holds  5 deadlines  6 buyers  7 ledger  8 operations  9 outbox  10 line  11 waiters
--
-- Lua in Redis is isolated but not rolled back: a script checks everything, then writes everything, through `save()`.

local SLICE = 4000 -- values in one command: Lua's unpack ends near 8,000
local PAIR, TRIPLE = '\146', '\147' -- MessagePack: a list of so many packed values follows
local PUBLISH = redis.REDIS_VERSION_NUM and 'SPUBLISH' or 'PUBLISH' -- sharded since Redis 7: see realtime/say.lua

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The pool that this script is in, and what it did there so far.
local NAME, POOL, UNITS, TERMS, HOLDS, DEADLINES, BUYERS, LEDGER
local pool, touched, ledger, writes, bought, promises
local new_holds, new_counts

-- The values that one command will write to one key. With room for a pair: a list that grows costs a lone hold as much as its write.
local function to_write(command, key)
  local values = {nil, nil}
  writes[#writes + 1] = {command, key, values}
  return values
end

-- Turns to the pool whose keys come after the first `before` ones. What was not saved in the last one is forgotten.
local function enter(before)
  POOL, UNITS, TERMS, HOLDS = KEYS[before + 1], KEYS[before + 2], KEYS[before + 3], KEYS[before + 4]
  DEADLINES, BUYERS, LEDGER = KEYS[before + 5], KEYS[before + 6], KEYS[before + 7]
  NAME = string.sub(POOL, 2, -7) -- of "{<name>}:pool"
  local meta = redis.call('HMGET', POOL, 'state', 'generation', 'entries', 'closes_at', 'digest', 'paused', 'living')
  pool = {
    state = meta[1],
    generation = tonumber(meta[2] or 1),
    entries = tonumber(meta[3] or 0),
    closes_at = tonumber(meta[4] or 0),
    digest = meta[5] or '', -- of all ledger entries so far: see chain.py
    paused = meta[6], -- why nothing new is taken on for a while
    living = tonumber(meta[7] or 0), -- holds that may still be paid
    changed = false, -- whether `state` or `closes_at` did
  }
  touched = {} -- variant -> its counters, as they are after what this call did so far
  ledger = {nil} -- packed entries to be written
  writes = {} -- what save() writes besides, in this order
  bought = {} -- "<buyer>/<variant>" -> units: what this call has read one by one or changed
  promises = {nil} -- lists {due, deadline, hold ids…}: holds that end together
  new_holds, new_counts = {nil, nil}, {nil, nil}
end

-- Why this pool can do nothing now: Redis has lost it, or it is being rebuilt, or it rests in SQL. nil when it can.
local function absence()
  if not pool.state then return redis.error_reply('NOPOOL ' .. NAME) end
  if pool.state == 'rebuilding' or pool.state == 'resting' then return redis.error_reply('POOLAWAY ' .. NAME) end
end

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

local function pack_promise(price, currency, source, taken_at, deadline, status, payment, attempt)
  return cmsgpack.pack({price, currency, source, taken_at, deadline, status, payment or '', attempt or 0})
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

local digits = {} -- number -> text: Redis would print each with 17 digits, which costs as much as storing it

-- How many units of a variant count against a buyer's limit here.
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

-- Holds that will have one deadline: one entry for all of them, that is looked at when it is due. An entry each took a third of
-- a hold's memory, and ever longer the more there were.
local function promise(deadline, grace)
  local together = {string.format('%d', deadline + grace), string.format('%d', deadline), nil, nil}
  promises[#promises + 1] = together
  return together
end

local function begin_hold(kind, id, packed, together)
  together[#together + 1] = id
  pool.living = pool.living + 1
  add(new_holds, id, packed)
  record_packed(kind, id, packed)
end

-- Sets units aside for a hold whose buyer's count is `field` and was `before`.
local function set_aside(kind, id, variant, quantity, field, before, packed, together)
  shift(variant, 'available', 'held', quantity)
  set_bought(field, before + quantity)
  begin_hold(kind, id, packed, together)
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
        '{"key":"%s","version":%d,"value":{"variant":"%s","available":%d,"epoch":%d,"waiting":%d}}',
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

local function write_deadlines()
  local entries = {nil, nil}
  for _, together in ipairs(promises) do
    if #together > 2 then add(entries, together[1], table.concat(together, ' ', 2)) end
  end
  write('ZADD', DEADLINES, entries)
end

local function write_ledger()
  local packed = TRIPLE .. cmsgpack.pack(pool.entries - #ledger + 1, now) .. packed_list(ledger)
  pool.digest = redis.sha1hex(pool.digest .. packed)
  redis.call('XADD', LEDGER, string.format('%d-%d', pool.generation, pool.entries), 'entries', packed, 'digest', pool.digest)
  redis.call('HSET', POOL, 'entries', string.format('%d', pool.entries), 'digest', pool.digest, 'living', string.format('%d', pool.living))
end

-- The only place that writes. Hands out versions, ledger numbers and the news for every screen.
local function save()
  local states = write_units()
  write('HSET', HOLDS, new_holds)
  write('HSET', BUYERS, new_counts)
  for _, one in ipairs(writes) do write(one[1], one[2], one[3]) end
  write_deadlines()
  if pool.state == 'closing' and pool.living == 0 then pool.state, pool.changed = 'closed', true end
  if #ledger > 0 then write_ledger() end
  if pool.changed then redis.call('HSET', POOL, 'state', pool.state, 'closes_at', pool.closes_at) end
  if #states > 0 then redis.call(PUBLISH, '{' .. NAME .. '}:bus', cmsgpack.pack({'states', states})) end
end
