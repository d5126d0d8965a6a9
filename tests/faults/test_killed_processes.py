"""A web or jobs process dies at a chosen moment: the next one finds everything as it must be."""

import random
import signal

import pytest
from redis.asyncio import Redis

from streamserver.kit.sql import Database
from streamserver.stock.archive import LedgerArchive
from streamserver.stock.store import PoolStore
from tests.faults.buyers import VARIANT, Buyers, Journal, counter, stock_service
from tests.faults.clerk import Job
from tests.faults.processes import start_clerk
from tests.faults.redis_under_test import RedisUnderTest
from tests.faults.verdict import verdict
from tests.stock.ledger import POOL, hold, open_pool
from tests.stock.test_ledger_archive import let_the_lease_run_out

CROWD, UNITS = 600, 400
KILLED = -signal.SIGKILL

MOMENTS = {
    "before the call": "PoolStore.reserve before 2",
    "after the call": "PoolStore.reserve after 2",
    "before the bags": "Bags.add before 1",
    "before the reply": "Bags.add after 1",
}
HALVES = {"between debit and credit": "PoolStore.run after 1", "between credit and receipt": "PoolStore.run after 2"}


async def serve_again(redis: Redis, journal: Journal) -> None:
    """Another process takes the same buyers, who repeat what they asked: same wish, same key."""
    async with counter(redis) as batcher:
        await Buyers(batcher.reserve, journal.note).burst(range(CROWD))


async def judge(redis: Redis, books: Database, journal: Journal) -> None:
    """The verdict, and no unit lies idle while somebody was refused."""
    units = (await PoolStore(redis).units(POOL, [VARIANT]))[VARIANT]
    assert (units.available, units.held) == (0, UNITS)
    assert len(journal.holds()) == UNITS
    assert await verdict(redis, books, journal) == []


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
async def test_a_web_process_dies_in_a_burst(server: RedisUnderTest, books: Database, moment: str) -> None:
    """Whatever it had done and not yet told: a retry with the key brings it, and nobody has two."""
    redis = server.client()
    await open_pool(PoolStore(redis), units=UNITS)
    clerk = await start_clerk(Job(server.url, "hold", moment, buyers=CROWD))
    assert await clerk.end() == KILLED
    assert clerk.journal.undecided()
    await serve_again(redis, clerk.journal)
    await judge(redis, books, clerk.journal)


@pytest.mark.parametrize("asked", ["all have asked", "some have their answers"])
async def test_a_web_process_is_killed_at_any_moment(server: RedisUnderTest, books: Database, asked: str) -> None:
    """From outside, once so much of its journal was seen."""
    lines = CROWD + (random.randrange(1, CROWD) if asked.startswith("some") else 0)
    redis = server.client()
    await open_pool(PoolStore(redis), units=UNITS)
    clerk = await start_clerk(Job(server.url, "hold", buyers=CROWD))
    await clerk.watch(lines)
    clerk.kill()
    await clerk.end()
    await serve_again(redis, clerk.journal)
    await judge(redis, books, clerk.journal)


async def test_the_archive_dies_before_it_trims(server: RedisUnderTest, books: Database) -> None:
    """The entries are in SQL and still in the stream: the next archive only trims them."""
    redis = server.client()
    await open_pool(PoolStore(redis))
    await hold(PoolStore(redis), ["ana", "bo"])
    entries = await PoolStore(redis).ledger(POOL)
    job = Job(server.url, "archive", "PoolStore.archived before 1", database=books.url)
    assert await (await start_clerk(job)).end() == KILLED
    assert await PoolStore(redis).ledger(POOL) == entries
    await hold(PoolStore(redis), ["cy"])
    assert await verdict(redis, books, Journal()) == []


@pytest.mark.parametrize("moment", HALVES.values(), ids=HALVES.keys())
async def test_a_transfer_is_cut_in_two(server: RedisUnderTest, books: Database, moment: str) -> None:
    """Whoever finds the note delivers it, however often: each unit is there once."""
    redis, target = server.client(), "shop:other"
    store = PoolStore(redis)
    await open_pool(store, units=10)
    await open_pool(store, target, units=5)
    job = Job(server.url, "transfer", moment, target=target)
    assert await (await start_clerk(job)).end() == KILLED
    assert await verdict(redis, books, Journal()) == []
    assert list(await store.outbox(POOL)) == ["transfer_1"]
    service = stock_service(redis)
    for _ in range(2):
        await service.deliver(POOL)
        await service.transfer("transfer_1", VARIANT, 3, POOL, target)
    available = [(await store.units(pool, [VARIANT]))[VARIANT].available for pool in (POOL, target)]
    assert available == [7, 8]
    assert await store.outbox(POOL) == {}
    assert await verdict(redis, books, Journal()) == []


@pytest.mark.parametrize("moment", ["PoolStore.calls after 1", "PoolStore.archived before 1"], ids=["read", "stored"])
async def test_a_stalled_archive_wakes_up_too_late(server: RedisUnderTest, books: Database, moment: str) -> None:
    """A process that stops after reading or after storing loses its lease to another; when it goes on, every entry is
    still there once and the chain is whole."""
    redis = server.client()
    store, next_one = PoolStore(redis), LedgerArchive(books, redis)
    await open_pool(store)
    await hold(store, ["ana", "bo"])
    sleeper = await start_clerk(Job(server.url, "archive", moment, signal.SIGSTOP, books.url))
    await sleeper.stalled()
    await let_the_lease_run_out(books)
    await next_one.run()
    await hold(store, ["cy"])
    await next_one.run()
    await hold(store, ["di"])
    sleeper.go_on()
    assert await sleeper.end() == 0
    assert await verdict(redis, books, Journal()) == []
