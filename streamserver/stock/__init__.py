"""Pools of units, holds and the ledger: one Lua script a promise, all keys of a pool in one Redis slot."""
