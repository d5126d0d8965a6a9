"""Pools in Redis: the scripts, and what is read without them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import orjson
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, RedisError, ResponseError

from streamserver.kit.errors import OneMoment
from streamserver.kit.log import log
from streamserver.kit.redis import load_script
from streamserver.stock.chain import Call
from streamserver.stock.errors import PoolAway, PoolLost
from streamserver.stock.keys import pool_keys, reserve_keys
from streamserver.stock.model import HoldRecord, Pool, ReserveRequest, Terms, Units
from streamserver.stock.packing import (
    Answer,
    StreamEntry,
    read_answers,
    read_calls,
    read_hold,
    read_units,
    reserve_columns,
    terms_fields,
)

HERE = Path(__file__).parent
SHARING = 32  # pools in one script call: for a hold in each of them Redis serves nobody else for two milliseconds

CLOSED = "pools_closed"  # pools that are over by the time (ms) of that
WANTED = "pools_wanted"  # the set of pools to be brought back from SQL: see recovery.py
ENDINGS = ("holds", "line", "home")  # what every script shares but reserve.lua, which is in a hurry
GUARDED = (
    "confirm", "release", "expire", "restock", "move", "receive", "settle", "return", "wait", "leave", "retake", "repair",
)  # fmt: skip

UNGUARDED = ("life", "rest", "rebuild")


def _not_now(error: RedisError) -> OneMoment | None:
    """Why a script did nothing, if it will work later: what guard.lua said, or that memory is full."""
    if isinstance(error, OutOfMemoryError) or "OOM command not allowed" in str(error):  # Redis 7, Redis 6
        log.error("Redis is at its maxmemory: nothing is sold until there is more", error=str(error))
        return OneMoment()
    kind = {"NOPOOL": PoolLost, "POOLAWAY": PoolAway}.get(str(error).split(" ")[0])
    return kind() if kind else None


class PoolStore:
    """Runs one script a call. Raises redis-py's errors: the service decides what they mean to a buyer."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._reserve = load_script(HERE, "reserve", "pool")
        self._scripts = {name: load_script(HERE, name, "pool", *ENDINGS, "guard") for name in GUARDED}
        self._scripts |= {name: load_script(HERE, name, "pool", *ENDINGS) for name in UNGUARDED}

    async def run(self, name: str, pool: Pool, *args: str | int | bytes) -> Any:
        """Raises OneMoment when memory is full; PoolLost; PoolAway, and asks for the pool to be brought back."""
        try:
            return await self._scripts[name](self.redis, pool_keys(pool), args)
        except ResponseError as error:
            not_now = _not_now(error)
            if not_now is None:
                raise
        if isinstance(not_now, PoolAway):
            await cast("Any", self.redis.sadd(WANTED, pool))
        raise not_now

    async def reserve(
        self, calls: Sequence[tuple[Pool, Sequence[ReserveRequest]]], hold_ms: int, grace_ms: int, expire_batch: int
    ) -> list[list[Answer] | RedisError | OneMoment]:
        """All pools in one write: for each its answers in order, or why that pool failed. Where holds have run out, those are let
        go first: then it is three writes. Raises redis-py's ConnectionError and TimeoutError when there is no telling what was
        done."""
        packed = [(pool, reserve_columns(requests)) for pool, requests in calls]
        raw = await self._ask_to_reserve(packed, hold_ms, grace_ms, 1)
        if due := [n for n, result in enumerate(raw) if result == b"due"]:
            late = [packed[n] for n in due]
            await self._scripts["expire"].many(self.redis, [(pool_keys(p), (expire_batch,)) for p, _ in late])
            for n, result in zip(due, await self._ask_to_reserve(late, hold_ms, grace_ms, 0), strict=True):
                raw[n] = result
        return [
            _not_now(result) or result if isinstance(result, RedisError) else read_answers(pool, cast("bytes", result))
            for (pool, _), result in zip(calls, raw, strict=True)
        ]

    async def _ask_to_reserve(
        self, calls: Sequence[tuple[Pool, bytes]], hold_ms: int, grace_ms: int, look_for_due: int
    ) -> list[Any]:
        """Several pools share a script call: half of a lone hold is what begins the script."""
        terms = (hold_ms, grace_ms, look_for_due)
        groups = [calls[start : start + SHARING] for start in range(0, len(calls), SHARING)]
        asked = [
            (reserve_keys([pool for pool, _ in group]), (*terms, *(columns for _, columns in group)))
            for group in groups
        ]
        results: list[Any] = []
        for group, answer in zip(groups, await self._reserve.many(self.redis, asked), strict=True):
            results += [answer] * len(group) if isinstance(answer, RedisError) else answer
        return results

    async def holds(self, pool: Pool, ids: Sequence[str]) -> list[HoldRecord]:
        """Those of `ids` that this pool knows. Raises PoolLost while nobody can tell."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.hget(pool_keys(pool).pool, "state")
            pipe.hmget(pool_keys(pool).holds, list(ids))
            state, found = cast("tuple[bytes | None, list[bytes | None]]", await pipe.execute())
        if state in {None, b"rebuilding"}:
            raise PoolLost
        return [read_hold(hold, pool, packed) for hold, packed in zip(ids, found, strict=True) if packed]

    async def units(self, pool: Pool, variants: Sequence[str]) -> dict[str, Units]:
        if not variants:
            return {}
        found = cast("list[bytes | None]", await self.redis.hmget(pool_keys(pool).units, list(variants)))
        return {v: read_units(packed) if packed else Units() for v, packed in zip(variants, found, strict=True)}

    async def set_terms(self, pool: Pool, terms: Sequence[Terms]) -> None:
        """Write what differs: looking costs no fsync."""
        if not terms:
            return
        wanted = terms_fields(terms)
        known = cast("list[bytes | None]", await self.redis.hmget(pool_keys(pool).terms, list(wanted)))
        items = [
            part
            for (variant, text), before in zip(wanted.items(), known, strict=True)
            if text != before
            for part in (variant, text)
        ]
        if items:
            await cast("Any", self.redis.hset(pool_keys(pool).terms, items=items))

    async def closes_at(self, pool: Pool) -> int:
        return int(cast("bytes | None", await cast("Any", self.redis.hget(pool_keys(pool).pool, "closes_at"))) or 0)

    async def outbox(self, pool: Pool) -> dict[str, tuple[Pool, str, int]]:
        """Transfers that left this pool and have not been settled: id → (receiver, variant, quantity)."""
        raw = cast("dict[bytes, bytes]", await self.redis.hgetall(pool_keys(pool).outbox))
        entries = {transfer.decode(): orjson.loads(text) for transfer, text in raw.items()}
        return {transfer: (e["to"], e["variant"], int(e["quantity"])) for transfer, e in entries.items()}

    async def ledger(self, pool: Pool) -> list[dict[str, Any]]:
        """Every entry that is not archived yet, in order."""
        return [entry for call in await self.calls(pool, 0, 0) for entry in call.entries()]

    async def calls(self, pool: Pool, generation: int, n: int, count: int | None = None) -> list[Call]:
        """What script calls wrote to the ledger after entry `n`, the oldest `count` of them."""
        stream = await self.redis.xrange(pool_keys(pool).ledger, f"({generation}-{n}", "+", count)
        return read_calls(cast("list[StreamEntry]", stream))

    async def archived(self, pool: Pool, generation: int, n: int, link: str) -> None:
        """Entries up to `n` are in SQL: drop them here, and keep the hash they have there. The dropping comes first and by
        itself: above `maxmemory` it is what makes room."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.xtrim(pool_keys(pool).ledger, minid=f"{generation}-{n + 1}", approximate=False)
            pipe.hset(pool_keys(pool).pool, "archived", f"{n}:{link}")
            await pipe.execute()

    async def pools_with_ledger(self) -> list[Pool]:
        """The pools that have entries to archive."""
        pools = sorted(await self.pools())
        async with self.redis.pipeline(transaction=False) as pipe:
            for pool in pools:
                pipe.xlen(pool_keys(pool).ledger)
            lengths = await pipe.execute() if pools else []
        return [pool for pool, length in zip(pools, lengths, strict=True) if length]

    async def retire(self, pool: Pool, now: int) -> None:
        """Look after a pool no more once it is over. Whoever gives it a unit back in between registers it after that: the
        second look keeps a registration from being lost."""
        if await self._is_over(pool):
            await cast("Any", self.redis.zadd(CLOSED, {pool: now}))
            await cast("Any", self.redis.srem("pools", pool))
            if not await self._is_over(pool):
                await cast("Any", self.redis.sadd("pools", pool))

    async def closed_before(self, moment: int) -> list[Pool]:
        """Pools that were over at this moment (ms) and still have all their keys."""
        found = cast("list[bytes]", await cast("Any", self.redis.zrangebyscore(CLOSED, "-inf", moment)))
        return [pool.decode() for pool in found]

    async def rest(self, pool: Pool) -> bool:
        """Free what the pool's holds take in Redis. False: something is left to do in it."""
        freed = await self.run("rest", pool) == 1
        await cast("Any", self.redis.zrem(CLOSED, pool))
        return freed

    async def _is_over(self, pool: Pool) -> bool:
        """Closed, all of its units where they belong, all of its ledger in SQL."""
        state = cast("bytes | None", await cast("Any", self.redis.hget(pool_keys(pool).pool, "state")))
        unread = await self.redis.xlen(pool_keys(pool).ledger)
        return state == b"closed" and not unread and not await self.outbox(pool)

    async def open_pools(self, *, paused: bool) -> list[Pool]:
        pools = sorted(await self.pools())
        async with self.redis.pipeline(transaction=False) as pipe:
            for pool in pools:
                pipe.hmget(pool_keys(pool).pool, "state", "paused")
            found = await pipe.execute() if pools else []
        return [p for p, (state, why) in zip(pools, found, strict=True) if state == b"open" and bool(why) == paused]

    async def pools(self) -> set[Pool]:
        """Every pool that has something to look after."""
        return {name.decode() for name in cast("set[bytes]", await self.redis.smembers("pools"))}
