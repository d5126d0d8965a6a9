"""Whose holds are where: for each buyer, hold id → pool. Written after a grant and before its answer; a buyer whose answer
was lost in between retries with the same key, and the replay writes it again."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast
from zlib import crc32

import msgpack
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streamserver.kit.redis import load_script
from streamserver.stock.model import Pool

DAYS = 7
SHARDS = 16  # bags of one shard share a Redis slot, so that one script call can write many of them


def bag_key(buyer: str) -> str:
    return f"{{bags:{crc32(buyer.encode()) % SHARDS}}}:{buyer}"


class Bags:
    def __init__(self, live: Redis) -> None:
        self._live = live
        self._add = load_script(Path(__file__).parent, "bag")

    async def add(self, entries: Iterable[tuple[str, str, Pool]]) -> None:
        """Note (buyer, hold, pool) of each, in one write."""
        shards: dict[str, tuple[list[str], list[tuple[str, str]]]] = {}
        for buyer, hold, pool in entries:
            key = bag_key(buyer)
            keys, holds = shards.setdefault(key[: key.index("}")], ([], []))
            keys.append(key)
            holds.append((hold, pool))
        calls = [(keys, (DAYS * 86_400, msgpack.packb(holds))) for keys, holds in shards.values()]
        for result in await self._add.many(self._live, calls) if calls else ():
            if isinstance(result, RedisError):
                raise result

    async def of(self, buyers: Sequence[str]) -> dict[str, Pool]:
        """Hold id → pool, oldest hold first."""
        found: dict[str, Pool] = {}
        for buyer in buyers:
            raw = cast("dict[bytes, bytes]", await cast("Any", self._live.hgetall(bag_key(buyer))))
            found |= {hold.decode(): pool.decode() for hold, pool in raw.items()}
        return dict(sorted(found.items()))

    async def pool_of(self, buyers: Sequence[str], hold: str) -> Pool | None:
        for buyer in buyers:
            pool = cast("bytes | None", await cast("Any", self._live.hget(bag_key(buyer), hold)))
            if pool:
                return pool.decode()
        return None

    async def forget(self, buyers: Sequence[str], holds: Sequence[str]) -> None:
        for buyer in buyers if holds else ():
            await cast("Any", self._live.hdel(bag_key(buyer), *holds))
