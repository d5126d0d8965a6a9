-- Gives back holds whose deadline and grace have passed.
-- ARGV  1 about how many
-- Answers how many it looked at: fewer than asked for means that none are left.

local done = expire_due(tonumber(ARGV[1]))
finish()
return done
