-- Lets go of a hold before its deadline. How many units come back is read from the record, never from the caller.
-- ARGV  1 hold id
-- Answers the packed hold as it is now; an empty text when there is no such hold. Only a living one is changed.

local id = ARGV[1]
local hold = read_hold(id)
if not hold then return '' end
if is_living(hold) then
  let_go('released', id, hold)
  finish()
end
return pack_hold(hold)
