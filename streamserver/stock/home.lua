-- Transfers to other pools, and how a script ends: after line.lua.

local new_outbox, delivered = to_write('HSET', OUTBOX), to_write('HDEL', OUTBOX)
local done_operations = to_write('HSET', OPERATIONS)

-- Sends `quantity` available units towards another pool. The outbox keeps them until that pool has them.
local function move_out(transfer, variant, quantity, to)
  shift(variant, 'available', 'moved_out', quantity)
  add(new_outbox, transfer, cjson.encode({to = to, variant = variant, quantity = quantity}))
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

-- Freed units first go to whoever waits for them, then home; then everything is written.
local function finish()
  serve_line()
  send_home()
  save()
  if #offers > 0 then redis.call(PUBLISH, '{' .. NAME .. '}:bus', cmsgpack.pack({'offers', offers})) end
end
