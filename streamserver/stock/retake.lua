-- Takes units again for a hold that was promised and then lost with its record. A hold that is known is left as it is.
-- ARGV  1 hold id  2 packed hold, as its token has it: {buyer, device, variant, quantity, price, currency, deadline, source, key}
--       3 ms that it is given at least  4 grace ms
-- Answers {verdict, packed hold} with verdict known | held | sold_out | limit_reached | not_live

local id, f = ARGV[1], cmsgpack.unpack(ARGV[2])
local device = f[2]
local hold = {
  buyer = f[1], variant = f[3], quantity = f[4], price = f[5], currency = f[6], deadline = math.max(f[7], now + tonumber(ARGV[3])),
  status = 'held', source = f[8], device = device, key = f[9], taken_at = now,
}
local known = read_hold(id)
if known then return {'known', pack_hold(known)} end
local t = terms(hold.variant)
if not is_open() or not t or not t.selling then return {'not_live', ''} end
if has_already(hold.buyer, device, hold.variant) + hold.quantity > t.limit then return {'limit_reached', ''} end
if units(hold.variant).available < hold.quantity then return {'sold_out', ''} end

local together = promise(hold.deadline, tonumber(ARGV[4]))
if t.mode == 'first_paid' then
  hold.status = 'wanted'
  begin_hold('wish', id, pack_hold(hold), together)
else
  take_aside('hold', id, hold, together)
end
finish()
return {'held', pack_hold(hold)}
