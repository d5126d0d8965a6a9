"""A pool with a little history, for tests of its ledger."""

from dataclasses import astuple, replace
from typing import Any, cast

import msgpack
from redis.asyncio import Redis

from streamserver.kit.ids import new_id
from streamserver.messages.stock import Source
from streamserver.stock.keys import pool_keys
from streamserver.stock.model import ReserveRequest, Terms
from streamserver.stock.packing import read_units
from streamserver.stock.store import PoolStore

HOUR = 3_600_000
POOL = "room:ledger"


async def open_pool(store: PoolStore, pool: str = POOL, units: int = 10) -> None:
    """Registered, open, with units of one variant."""
    await store.set_terms(pool, [Terms("var_a", 100, "EUR", 5, Source(kind="room"), home="shop:home")])
    await cast("Any", store.redis.sadd("pools", pool))
    await store.run("life", pool, "open", 0, 1)
    await store.run("restock", pool, "start", "var_a", units)


async def hold(store: PoolStore, buyers: list[str], pool: str = POOL) -> list[str]:
    """One unit for each buyer, all in one call; returns the holds."""
    requests = [ReserveRequest(new_id("key"), buyer, "var_a", 1, new_id("hold"), "dev_phone") for buyer in buyers]
    [answers] = await store.reserve([(pool, requests)], HOUR, 0, 100)
    assert isinstance(answers, list), answers
    return [answer.hold for answer in answers]


async def set_counter(redis: Redis, pool: str, variant: str, name: str, value: int) -> None:
    """Change one of a variant's counters behind the scripts' backs."""
    key = pool_keys(pool).units
    before = read_units(cast("bytes", await cast("Any", redis.hget(key, variant))))
    await cast("Any", redis.hset(key, variant, msgpack.packb(astuple(replace(before, **{name: value})))))


async def stream_of(redis: Redis, pool: str = POOL) -> list[tuple[bytes, dict[bytes, bytes]]]:
    return cast("list[tuple[bytes, dict[bytes, bytes]]]", await redis.xrange(pool_keys(pool).ledger))


async def rewrite_stream(redis: Redis, stream: list[tuple[bytes, dict[bytes, bytes]]], pool: str = POOL) -> None:
    """Put these entries in place of the pool's stream, as somebody with a Redis prompt could."""
    await redis.delete(pool_keys(pool).ledger)
    for id_, fields in stream:
        await redis.xadd(pool_keys(pool).ledger, cast("dict[Any, Any]", fields), id=id_)
