"""Fault 18: a line under a burst, with people who leave, offers that lapse, and a Redis that is killed in between."""

import asyncio
import random

from redis.asyncio import Redis

from streamserver.kit.errors import OneMoment
from streamserver.kit.ids import new_id
from streamserver.kit.outages import STORES_AWAY
from streamserver.kit.sql import Database
from streamserver.stock.books import Books
from streamserver.stock.store import PoolStore
from tests.faults.buyers import VARIANT, Buyers, Journal, counter
from tests.faults.redis_under_test import RedisUnderTest
from tests.faults.verdict import ledger, verdict
from tests.stock.ledger import POOL, open_pool

UNITS, BUYERS = 20, 200
HOUR = 3_600_000


async def waited(store: PoolStore, buyer: str, *, patient: bool = True, offer_ms: int = HOUR) -> str:
    """Take a place, or keep it, until Redis says something; returns its verdict."""
    while True:
        try:
            terms = (HOUR if patient else -1, offer_ms, 0)
            answer = await store.run("wait", POOL, buyer, buyer, VARIANT, new_id("hold"), *terms)
        except (*STORES_AWAY, OneMoment):
            await asyncio.sleep(0.02)
        else:
            return answer[0].decode()


async def freed(store: PoolStore, hold: str) -> None:
    while True:
        try:
            await store.run("release", POOL, hold)
        except STORES_AWAY:
            await asyncio.sleep(0.02)
        else:
            return


async def sold_out(redis: Redis, journal: Journal) -> list[str]:
    """A burst takes everything; returns the buyers who got nothing."""
    await open_pool(PoolStore(redis), units=UNITS)
    async with counter(redis) as batcher:
        await Buyers(batcher.reserve, journal.note).burst(range(BUYERS))
    happy = set(journal.holds().values())
    return [f"buyer_{number}" for number in range(BUYERS) if f"buyer_{number}" not in happy]


async def offers(redis: Redis, books: Database) -> list[str]:
    """Who was offered a unit, in order."""
    return [entry["buyer"] for entry in await ledger(redis, books, POOL) if entry["kind"] == "offer"]


async def fairness(redis: Redis, books: Database) -> list[int]:
    added = Books(POOL)
    for entry in await ledger(redis, books, POOL):
        added.enter(entry["n"], entry)
    return added.unfair + added.overdrawn


async def test_order_is_kept_and_a_unit_is_offered_once(server: RedisUnderTest, books: Database) -> None:
    """Everybody who was refused waits, at once; holders give back one by one, some who wait have left: each freed unit is
    offered to the next who is still there, to nobody else, and a stranger cannot buy past them."""
    redis, journal = server.client(), Journal()
    refused, store = await sold_out(redis, journal), PoolStore(redis)
    gone = set(refused[::3])
    await asyncio.gather(*(waited(store, buyer, patient=buyer not in gone) for buyer in refused))
    joined = [entry["buyer"] for entry in await ledger(redis, books, POOL) if entry["kind"] == "wait"]
    assert sorted(joined) == sorted(refused)
    staying = [buyer for buyer in joined if buyer not in gone]
    async with counter(redis) as batcher:
        passers_by = Buyers(batcher.reserve, journal.note)
        await asyncio.gather(
            *(freed(store, hold) for hold in journal.holds()),
            *(passers_by.buy(f"passer_by_{number}") for number in range(20)),
        )
    assert await offers(redis, books) == staying[:UNITS]
    assert await fairness(redis, books) == []
    assert await verdict(redis, books, journal) == []


async def test_offers_that_lapse_pass_on_until_the_line_is_empty(server: RedisUnderTest, books: Database) -> None:
    """Nobody takes their offer: everyone was asked once, in order, and then the units are everybody's."""
    redis, journal = server.client(), Journal()
    refused, store = await sold_out(redis, journal), PoolStore(redis)
    await asyncio.gather(*(waited(store, buyer, offer_ms=0) for buyer in refused))
    joined = [entry["buyer"] for entry in await ledger(redis, books, POOL) if entry["kind"] == "wait"]
    await asyncio.gather(*(freed(store, hold) for hold in journal.holds()))
    while await store.run("expire", POOL, 7):
        pass
    assert await offers(redis, books) == joined
    assert (await store.units(POOL, [VARIANT]))[VARIANT].available == UNITS
    assert await fairness(redis, books) == []
    assert await verdict(redis, books, journal) == []


async def test_a_line_survives_its_server(server: RedisUnderTest, books: Database) -> None:
    """Killed while people join and units come back: places and offers are as they were acknowledged, in the same order."""
    redis, journal = server.client(), Journal()
    refused, store = await sold_out(redis, journal), PoolStore(redis)
    holds = list(journal.holds())
    random.shuffle(holds)
    coming = asyncio.gather(*(waited(store, buyer) for buyer in refused), *(freed(store, hold) for hold in holds))
    await asyncio.sleep(0.01)
    await server.kill()
    await server.start()
    await coming
    for buyer in refused:
        await waited(store, buyer)
    offered = await offers(redis, books)
    assert len(offered) == len(set(offered)) == UNITS
    assert await fairness(redis, books) == []
    assert await verdict(redis, books, journal) == []
