-- A transfer has arrived: the outbox forgets it.
-- ARGV  1 transfer id

local text = redis.call('HGET', OUTBOX, ARGV[1])
if text then
  local sent = cjson.decode(text)
  add(delivered, ARGV[1])
  record('delivered', sent.variant, sent.quantity, {transfer = ARGV[1]})
  finish()
end
return redis.status_reply('OK')
