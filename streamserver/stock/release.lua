-- Gives a held unit back before its deadline. How many comes from the record, never from the caller.
-- ARGV  2 hold id
-- Answers the packed hold as it is now; an empty text when there is no such hold. Only `held` is changed.

local id = ARGV[2]
local hold = read_hold(id)
if not hold then return '' end
if hold.status == 'held' then
  put_back('released', id, hold)
  save()
end
return pack_hold(hold)
