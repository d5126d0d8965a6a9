-- Holds as records, and how they end: for every script but reserve.lua, after pool.lua. Those are in one pool.

enter(0)

local OPERATIONS, OUTBOX, LINE, WAITERS = KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local LIMITS_SALES = string.sub(NAME, 1, 5) == 'room:' -- a room's limit counts what was bought; a store's only what is held

local holds = {} -- hold id -> its record, as it is after what this call did so far
local looked_through = to_write('ZREM', DEADLINES)

local function pack_hold(h)
  return join_hold(cmsgpack.pack({h.buyer, h.variant, h.quantity, h.key, h.device}), pack_promise(
    h.price, h.currency, h.source, h.taken_at, h.deadline, h.status, h.payment, h.attempt
  ))
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
  add(new_holds, id, pack_hold(hold))
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

local function record_hold(kind, id, hold, more)
  if more then append('\148' .. cmsgpack.pack(kind, id) .. pack_hold(hold) .. cmsgpack.pack(more)) -- a list of four
  else record_packed(kind, id, pack_hold(hold))
  end
end

local function count(buyer, variant)
  return bought_by(buyer .. '/' .. variant)
end

local function set_count(buyer, variant, value)
  set_bought(buyer .. '/' .. variant, value)
end

-- The same from a hold's record. Returns it packed.
local function take_aside(kind, id, hold, together)
  local field, packed = hold.buyer .. '/' .. hold.variant, pack_hold(hold)
  set_aside(kind, id, hold.variant, hold.quantity, field, bought_by(field), packed, together)
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
  pool.living = pool.living - 1
  write_hold(id, hold)
end

local function is_living(hold)
  return hold.status == 'held' or hold.status == 'wanted'
end

-- Lets go of the holds in one entry of the deadlines: of those that were neither paid nor given a new deadline since. Returns
-- how many there were.
local function expire_together(entry)
  local deadline, ids = string.match(entry, '^(%d+)(.*)$')
  local looked_at = 0
  for id in string.gmatch(ids, '%S+') do
    local hold = read_hold(id)
    if hold and is_living(hold) and hold.deadline == tonumber(deadline) then let_go('expired', id, hold) end
    looked_at = looked_at + 1
  end
  add(looked_through, entry)
  return looked_at
end

-- Lets go of holds whose deadline and grace have passed: of `limit`, and of those that end together with the last of these.
-- Returns how many it looked at.
local function expire_due(limit)
  local looked_at, entries = 0, 0
  while looked_at < limit do
    local entry = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', entries, 1)[1]
    if not entry then break end
    looked_at, entries = looked_at + expire_together(entry), entries + 1
  end
  return looked_at
end
