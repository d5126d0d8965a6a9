-- Stands in front of the scripts that need a pool, after home.lua: one that is not there is left alone.

local absent = absence()
if absent then return absent end
