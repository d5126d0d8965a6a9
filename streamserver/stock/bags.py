"""Whose holds are where: for each buyer, hold id → pool. Written after a grant and before its answer; a buyer whose answer
was lost in between retries with the same key, and the replay writes it again.

Bags of a shard and day share one hash, which expires as a whole: a key for each buyer, with an expiry of its own, took Redis
twice as long and half as much memory again.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast
from zlib import crc32

import msgpack
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streamserver.kit.clock import now_ms
from streamserver.kit.redis import load_script
from streamserver.stock.model import Pool

DAYS = 7
DAY = 86_400  # seconds
SHARDS = 4  # a script call writes one: fewer are faster, more spread over a cluster
HERE = Path(__file__).parent


def shard_of(buyer: str) -> int:
    return crc32(buyer.encode()) % SHARDS


def bags_key(shard: int, day: int) -> str:
    return f"{{bags:{shard}}}:{day}"


class Bags:
    def __init__(self, live: Redis) -> None:
        self._live = live
        self._add = load_script(HERE, "bag")
        self._forget = load_script(HERE, "forget")

    async def add(self, entries: Iterable[tuple[str, str, Pool]]) -> None:
        """Note (buyer, hold, pool) of each, in one write."""
        shards: dict[int, tuple[list[str], list[str]]] = {}
        for buyer, hold, pool in entries:
            buyers, notes = shards.setdefault(shard_of(buyer), ([], []))
            buyers.append(buyer)
            notes.append(f"{hold} {pool}\n")
        today = _today()
        calls = [
            ((bags_key(shard, today),), ((DAYS + 1) * DAY, msgpack.packb(columns))) for shard, columns in shards.items()
        ]
        for result in await self._add.many(self._live, calls) if calls else ():
            if isinstance(result, RedisError):
                raise result

    async def of(self, buyers: Sequence[str]) -> dict[str, Pool]:
        """Hold id → pool."""
        async with self._live.pipeline(transaction=False) as pipe:
            for buyer in buyers:
                for key in _keys(buyer):
                    pipe.hget(key, buyer)
            bags = cast("list[bytes | None]", await pipe.execute())
        return dict(note.split(" ", 1) for bag in bags if bag for note in bag.decode().splitlines())

    async def pool_of(self, buyers: Sequence[str], hold: str) -> Pool | None:
        return (await self.of(buyers)).get(hold)

    async def forget(self, buyers: Sequence[str], holds: Sequence[str]) -> None:
        for buyer in buyers if holds else ():
            await self._forget(self._live, _keys(buyer), (buyer, *holds))


def _today() -> int:
    return now_ms() // 1000 // DAY


def _keys(buyer: str) -> list[str]:
    """The hashes that may have something of this buyer's."""
    today = _today()
    return [bags_key(shard_of(buyer), day) for day in range(today - DAYS, today + 1)]
