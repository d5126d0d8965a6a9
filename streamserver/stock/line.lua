-- The line for what is sold out, after holds.lua: members "<variant>/<ledger number of joining>/<hold id>" in the order of joining; `waiters` has who that is.

local new_places, left = to_write('ZADD', LINE), to_write('ZREM', LINE)
local new_waiters, served = to_write('HSET', WAITERS), to_write('HDEL', WAITERS)
local offers = {} -- {buyer, variant, hold id}: whose turn it is now

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
  add(left, member_of_line(waiter, id))
  add(served, id)
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
  local packed = take_aside('offer', id, hold, promise(deadline, waiter.grace_ms))
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
