"""Everybody at once, over connections that break and callers that leave."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from streamserver.kit.errors import OneMoment
from streamserver.kit.redis import CONNECTIONS, connect
from streamserver.kit.sql import Database
from streamserver.stock.model import Pool, ReserveRequest
from streamserver.stock.packing import Answer
from streamserver.stock.store import PoolStore
from tests.faults.buyers import VARIANT, Buyers, Journal, counter
from tests.faults.redis_under_test import RedisUnderTest
from tests.faults.verdict import verdict
from tests.stock.cutter import Cutter
from tests.stock.ledger import HOUR, POOL, open_pool

UNITS = 100
CUTS = 20


@asynccontextmanager
async def cut_connection(server: RedisUnderTest) -> AsyncGenerator[tuple[Cutter, Redis]]:
    """A client whose replies can be lost on the way."""
    async with Cutter(server.url) as cutter:
        client = connect(cutter.url)
        await asyncio.gather(*(client.ping() for _ in range(CONNECTIONS)))  # else a cut may only hit a greeting
        yield cutter, client
        await client.aclose()


async def cut_now_and_then(cutter: Cutter) -> None:
    """Lose the very next reply, then more of them, at last none: a connection that never holds helps nobody."""
    for _ in range(CUTS):
        cutter.cut_next_reply()
        await asyncio.sleep(random.uniform(0, 0.05))


async def while_doing(disturbance: Awaitable[None], work: Awaitable[None]) -> None:
    """Do the work to its end while something disturbs it."""
    disturbing = asyncio.ensure_future(disturbance)
    try:
        await work
    finally:
        disturbing.cancel()


def one_call_each(redis: Redis) -> Callable[[Pool, ReserveRequest], Awaitable[Answer]]:
    """Without the batcher, and so without its repeats: a lost reply is the buyer's problem."""
    store = PoolStore(redis)

    async def ask(pool: Pool, request: ReserveRequest) -> Answer:
        try:
            [answers] = await store.reserve([(pool, [request])], HOUR, 0, 100)
        except RedisConnectionError:
            raise OneMoment from None
        assert isinstance(answers, list), answers
        return answers[0]

    return ask


async def held(redis: Redis) -> int:
    return (await PoolStore(redis).units(POOL, [VARIANT]))[VARIANT].held


@pytest.mark.parametrize("crowd", [500, 2000])
async def test_a_burst_sells_exactly_what_there_is(server: RedisUnderTest, books: Database, crowd: int) -> None:
    """Two processes, a hundred units: a hundred holds, and everybody else is told *sold out*."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=UNITS)
    async with counter(redis) as here, counter(server.client()) as there:
        await asyncio.gather(
            Buyers(here.reserve, journal.note).burst(range(0, crowd, 2)),
            Buyers(there.reserve, journal.note).burst(range(1, crowd, 2)),
        )
    assert (journal.told("held"), journal.told("sold_out")) == (UNITS, crowd - UNITS)
    assert await held(redis) == UNITS
    assert await verdict(redis, books, journal) == []


async def test_lost_replies_take_one_unit_each(server: RedisUnderTest, books: Database) -> None:
    """Replies are dropped again and again: the same batch goes once more with the same keys."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=1000)
    async with cut_connection(server) as (cutter, client), counter(client) as batcher:
        await while_doing(cut_now_and_then(cutter), Buyers(batcher.reserve, journal.note).burst(range(500)))
    assert cutter.cuts
    assert await held(redis) == len(journal.holds()) == 500
    assert await verdict(redis, books, journal) == []


async def test_without_the_batcher_keys_are_enough(server: RedisUnderTest, books: Database) -> None:
    """Each buyer asks again with the key of the first time, and is told *replayed*."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=1000)
    async with cut_connection(server) as (cutter, client):
        await while_doing(cut_now_and_then(cutter), Buyers(one_call_each(client), journal.note).burst(range(300)))
    assert "replayed" in journal.words()
    assert await held(redis) == 300
    assert await verdict(redis, books, journal) == []


async def test_without_keys_the_same_loss_takes_units_that_nobody_has(server: RedisUnderTest, books: Database) -> None:
    """The counter-proof: with a fresh key each time, a lost reply costs another unit, and the verdict says whose."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=1000)
    async with cut_connection(server) as (cutter, client):
        careless = Buyers(one_call_each(client), journal.note, fresh_keys=True)
        await while_doing(cut_now_and_then(cutter), careless.burst(range(300)))
    assert await held(redis) > len(journal.holds()) == 300
    assert any("wanted one unit and took" in finding for finding in await verdict(redis, books, journal))


async def test_forgotten_scripts_are_noticed_by_nobody(server: RedisUnderTest, books: Database) -> None:
    """SCRIPT FLUSH in the middle of a burst, many times over."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=UNITS)

    async def flush() -> None:
        while True:
            await redis.script_flush()

    async with counter(server.client()) as batcher:
        await while_doing(flush(), Buyers(batcher.reserve, journal.note).burst(range(1000)))
    assert journal.words() == {"asks", "held", "sold_out"}
    assert await held(redis) == UNITS
    assert await verdict(redis, books, journal) == []


async def test_who_leaves_in_the_middle_gets_nobody_elses_answer(server: RedisUnderTest, books: Database) -> None:
    """A third of the callers is cancelled at some moment: every answer belongs to its caller, then and at the retry."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=400)
    async with counter(redis) as batcher:
        buyers = Buyers(batcher.reserve, journal.note)
        callers = [asyncio.create_task(buyers.buy(f"buyer_{number}")) for number in range(600)]
        for caller in random.sample(callers, 200):
            await asyncio.sleep(0)
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        assert [one.exception() for one in callers if not one.cancelled() and one.exception()] == []
        left = journal.undecided()
        assert left
        await asyncio.gather(*(buyers.buy(buyer) for buyer in left))
    assert await held(redis) == len(journal.holds()) == 400
    assert await verdict(redis, books, journal) == []
