"""Whose holds are where: for each buyer, hold id → pool. Written after a grant and before its answer; a buyer whose answer
was lost in between retries with the same key, and the replay writes it again."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from redis.asyncio import Redis

from streamserver.stock.model import Pool

DAYS = 7


class Bags:
    def __init__(self, live: Redis) -> None:
        self._live = live

    async def add(self, entries: Iterable[tuple[str, str, Pool]]) -> None:
        """Note (buyer, hold, pool) of each, in one write."""
        async with self._live.pipeline(transaction=False) as pipe:
            for buyer, hold, pool in entries:
                pipe.hset(f"bag:{buyer}", hold, pool)
                pipe.expire(f"bag:{buyer}", DAYS * 86_400)
            if pipe.command_stack:
                await pipe.execute()

    async def of(self, buyers: Sequence[str]) -> dict[str, Pool]:
        """Hold id → pool, oldest hold first."""
        found: dict[str, Pool] = {}
        for buyer in buyers:
            raw = cast("dict[bytes, bytes]", await cast("Any", self._live.hgetall(f"bag:{buyer}")))
            found |= {hold.decode(): pool.decode() for hold, pool in raw.items()}
        return dict(sorted(found.items()))

    async def pool_of(self, buyers: Sequence[str], hold: str) -> Pool | None:
        for buyer in buyers:
            pool = cast("bytes | None", await cast("Any", self._live.hget(f"bag:{buyer}", hold)))
            if pool:
                return pool.decode()
        return None

    async def forget(self, buyers: Sequence[str], holds: Sequence[str]) -> None:
        for buyer in buyers if holds else ():
            await cast("Any", self._live.hdel(f"bag:{buyer}", *holds))
