-- Takes back units that nobody brought: lowers `available` to what the ledger says. It never raises it, so it cannot oversell.
-- ARGV  1 entries that the ledger had when it was added up  2 variant  3 available by the ledger
-- Answers how many were taken away; 0 when there are not too many, or the ledger went on in the meantime.

local entries, variant, told = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local u = units(variant)
local surplus = u.available - told
if pool.entries ~= entries or told < 0 or surplus <= 0 then return 0 end
u.available, u.changed = told, true -- not by shift(): these units are in no other counter
record('repair', variant, surplus)
finish()
return surplus
