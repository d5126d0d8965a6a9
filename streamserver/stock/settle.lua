-- A transfer has arrived: the outbox forgets it.
-- ARGV  2 transfer id

local text = redis.call('HGET', OUTBOX, ARGV[2])
if text then
  local sent = cjson.decode(text)
  add(delivered, ARGV[2])
  record('delivered', sent.variant, sent.quantity, {transfer = ARGV[2]})
  finish()
end
return redis.status_reply('OK')
