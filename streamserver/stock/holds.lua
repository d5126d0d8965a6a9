-- Holds as records, and how they end: for every script but reserve.lua, after pool.lua.

local holds = {} -- hold id -> its record, as it is after what this call did so far
local settled = to_write('ZREM', DEADLINES)

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
  add(settled, id)
end

local function is_living(hold)
  return hold.status == 'held' or hold.status == 'wanted'
end

-- Lets go of at most `limit` holds whose deadline and grace have passed. Returns how many.
local function expire_due(limit)
  local due = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(due) do
    local hold = read_hold(id)
    if hold and is_living(hold) then let_go('expired', id, hold) else add(settled, id) end
  end
  return #due
end
