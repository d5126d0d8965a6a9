-- Gives back holds whose deadline and grace have passed.
-- ARGV  2 at most how many
-- Answers how many it looked at: fewer than asked for means that none are left.

local done = expire_due(tonumber(ARGV[2]))
finish()
return done
