"""The two ways to sell from Redis that the bench compares: the service, and one script call a purchase."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from typing import Self

from redis.asyncio import BlockingConnectionPool, Redis

from loadtests.measure import CLIENTS
from streamserver.config import StockConfig
from streamserver.kit.redis import connect, load_script
from streamserver.messages.stock import Source
from streamserver.stock.keys import reserve_keys
from streamserver.stock.model import Pool, ReserveRequest, Terms
from streamserver.stock.packing import reserve_columns
from streamserver.stock.service import StockService
from streamserver.stock.store import HERE

HOT = "room:hot"
GONE = "room:gone"  # never had a unit: a flag remembers the epoch of a pool that had
VARIANT = "var_01HZX3K9P4TN"
UNITS = 1_000_000_000
CONFIG = StockConfig()
numbers = count(1)


def wish() -> ReserveRequest:
    """Somebody new wants one; ids are as long as real ones."""
    n = next(numbers)
    buyer = f"dev_{n:016x}"
    return ReserveRequest(f"key_{n:016x}", buyer, VARIANT, 1, f"hold_{n:016x}", buyer)


async def _is_new(_: Pool) -> bool:
    return False


class Engine:
    """The service as a web process has it, on one Redis for everything, as by default."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.redis = connect(url)
        self._live = connect(url)
        self._stock = StockService(self.redis, self._live, CONFIG, b"secret", _is_new)

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncGenerator[Self]:
        engine = cls(url)
        yield engine
        await engine._stock.stop()
        await engine.redis.aclose()
        await engine._live.aclose()

    async def buy(self, pool: Pool, *, first_try: bool = False) -> None:
        await self._stock.reserve(pool, wish(), first_try=first_try)

    async def stock_up(self, pool: Pool, units: int = UNITS) -> None:
        await self._stock.set_terms(pool, [Terms(VARIANT, 1900, "EUR", 5, Source(kind="room"))])
        await self._stock.open(pool)
        await self._stock.restock(pool, "start", VARIANT, units)

    async def start_anew(self, *pools: Pool, units: int = UNITS) -> None:
        """Nothing in Redis but these pools."""
        await self.empty()
        for pool in pools:
            await self.stock_up(pool, units)

    async def empty(self) -> None:
        await self.redis.flushall()


class OneCallEach:
    """The usual way: every purchase is one EVALSHA of the same script by redis-py, from CLIENTS connections."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = load_script(HERE, "reserve", "pool")

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncGenerator[Self]:
        async with Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=CLIENTS)) as redis:
            yield cls(redis)

    async def buy(self, pool: Pool) -> None:
        terms = (CONFIG.hold_seconds * 1000, CONFIG.grace_seconds * 1000, 1)
        await self._script(self._redis, reserve_keys([pool]), (*terms, reserve_columns([wish()])))
