-- Turns holds into a sale: all of them, or none. Repeating a payment's confirmation changes nothing.
-- ARGV  1 payment  2 attempt  3… hold ids
-- Answers {'sold'} | {'lost', hold ids…} | {'duplicate_payment', hold ids…}
-- A wanted hold takes its units now; one that expired or was given up is re-taken: while units and the buyer's limit allow. The highest attempt is recorded:
-- whoever was overtaken can no longer give back what its successor relies on (return.lua).

local payment, attempt = ARGV[1], tonumber(ARGV[2])
local lost, duplicate, taking, buying = {}, {}, {}, {}

local function can_retake(hold)
  local t = terms(hold.variant)
  local field = hold.buyer .. '/' .. hold.variant
  local wanted = (taking[hold.variant] or 0) + hold.quantity
  local bought_then = count(hold.buyer, hold.variant) + (buying[field] or 0) + hold.quantity
  if not t or wanted > units(hold.variant).available or bought_then > t.limit then return false end
  taking[hold.variant], buying[field] = wanted, (buying[field] or 0) + hold.quantity
  return true
end

local seen, ids = {}, {}
for i = 3, #ARGV do
  local id = ARGV[i]
  if not seen[id] then
    seen[id] = true
    ids[#ids + 1] = id
    local hold = read_hold(id)
    if not hold then lost[#lost + 1] = id
    elseif hold.status == 'sold' then if hold.payment ~= payment then duplicate[#duplicate + 1] = id end
    elseif hold.status ~= 'held' and not can_retake(hold) then lost[#lost + 1] = id
    end
  end
end

if #duplicate > 0 then return {'duplicate_payment', unpack(duplicate)} end
if #lost > 0 then return {'lost', unpack(lost)} end

local function sell(id, hold)
  local kind = hold.status == 'held' and 'sell' or hold.status == 'wanted' and 'take' or 'retake'
  shift(hold.variant, kind == 'sell' and 'held' or 'available', 'sold', hold.quantity)
  local counted = kind == 'sell' and hold.quantity or 0
  local counts = LIMITS_SALES and hold.quantity or 0
  if counts ~= counted then set_count(hold.buyer, hold.variant, count(hold.buyer, hold.variant) - counted + counts) end
  if is_living(hold) then pool.living = pool.living - 1 end
  hold.status, hold.payment, hold.attempt = 'sold', payment, attempt
  record_hold(kind, id, hold, {attempt = attempt})
end

for _, id in ipairs(ids) do
  local hold = read_hold(id)
  if hold.status ~= 'sold' then
    sell(id, hold)
  elseif attempt > hold.attempt then
    hold.attempt = attempt
    record('attempt', hold.variant, hold.quantity, {hold = id, attempt = attempt})
  end
  write_hold(id, hold)
end
finish()
return {'sold'}
