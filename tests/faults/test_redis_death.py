"""Redis itself dies: what was acknowledged is on disk, and a sale is there whole or not at all."""

import asyncio
from itertools import pairwise

import pytest

from streamserver.kit.sql import Database
from streamserver.stock.store import PoolStore
from tests.faults.buyers import Buyers, Journal, counter
from tests.faults.conftest import StartRedis
from tests.faults.page_cache import kept_at_most, sees_unsynced, unsynced_from
from tests.faults.redis_under_test import RedisUnderTest
from tests.faults.verdict import audit, verdict
from tests.stock.ledger import POOL, hold, open_pool

BURST = 100_000  # bytes that the holds of 250 buyers take in the file, at least
MULTI = b"*1\r\n$5\r\nMULTI\r\n"

needs_cachestat = pytest.mark.skipif(
    not sees_unsynced(), reason="Only Linux 6.5 and later tell which bytes of a file are not on disk yet (cachestat)."
)


async def acknowledged(journal: Journal, count: int) -> None:
    while True:
        if len(journal.holds()) >= count:
            return
        await asyncio.sleep(0)


async def test_killed_in_a_burst_and_started_again(server: RedisUnderTest, books: Database) -> None:
    """In each of three waves: everything that was acknowledged is there, and everybody has an answer in the end."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=2500)
    async with counter(redis) as batcher:
        buyers = Buyers(batcher.reserve, journal.note)
        for wave in range(3):
            buying = asyncio.create_task(buyers.burst(range(wave * 1000, wave * 1000 + 1000)))
            await acknowledged(journal, wave * 1000 + 1)
            assert not buying.done()
            await server.kill()
            await server.start()
            await buying
    assert len(journal.holds()) == 2500
    assert await verdict(server.client(), books, journal) == []


async def burst_and_freeze(server: RedisUnderTest, journal: Journal, numbers: range) -> None:
    """A burst to its last answer; at that moment Redis is stopped, and nothing is synced any more."""
    async with counter(server.client()) as batcher:
        await Buyers(batcher.reserve, journal.note).burst(numbers)
        server.freeze()


@needs_cachestat
async def test_always_loses_nothing_when_the_power_goes(start_redis: StartRedis, books: Database) -> None:
    """When the last answer of a burst arrives, not one page of the append-only file is missing on the disk: a copy cut to
    what is surely there has every acknowledged hold."""
    server, journal = await start_redis(appendfsync="always"), Journal()
    await open_pool(PoolStore(server.client()), units=5000)
    kept = 0
    for start in range(0, 500, 25):
        await burst_and_freeze(server, journal, range(start, start + 25))
        kept = unsynced_from(server.aof)
        assert kept == server.aof.stat().st_size
        server.thaw()
    survivor = await server.copy(kept).start()
    assert len(journal.holds()) == 500
    assert await verdict(survivor.client(), books, journal) == []


@needs_cachestat
async def test_everysec_loses_what_it_acknowledged(start_redis: StartRedis, books: Database) -> None:
    """The counter-proof: with `everysec` the answers of a burst come before the disk has it, and the verdict names holds
    that buyers were promised and that are gone."""
    server, journal = await start_redis(appendfsync="everysec"), Journal()
    await open_pool(PoolStore(server.client()), units=5000)
    start, kept, size = 0, 0, 0
    while size - kept < BURST:  # now and then the sync of the second comes at this very moment: then once more
        await burst_and_freeze(server, journal, range(start, start + 250))
        kept, size = kept_at_most(server.aof), server.aof.stat().st_size
        server.thaw()
        start += 250
    survivor = await server.copy(kept).start()
    found = await verdict(survivor.client(), books, journal)
    assert any("was acknowledged and is lost" in finding for finding in found)


def places_in(aof: bytes) -> list[int]:
    """Where the last transaction of a file could be torn: before and after each of its commands, one byte into each, in the
    middle of it, and one byte before its end."""
    begin = aof.rindex(MULTI)
    starts = [begin + place for place in command_starts(aof[begin:])] + [len(aof)]
    torn = {place for start, end in pairwise(starts) for place in (start, start + 1, (start + end) // 2, end - 1)}
    return sorted(torn | {len(aof)})


def command_starts(text: bytes) -> list[int]:
    """Offsets of the commands in a piece of an append-only file: arrays of texts, each with its length."""
    starts, at = list[int](), 0
    while at < len(text):
        starts.append(at)
        end = text.index(b"\r\n", at)
        for _ in range(int(text[at + 1 : end])):
            length = text.index(b"\r\n", end + 2)
            end = length + 2 + int(text[end + 3 : length])
        at = end + 2
    return starts


async def test_a_torn_tail_drops_a_whole_sale(server: RedisUnderTest, books: Database) -> None:
    """Three buyers in one call, and the file is cut at every kind of place in its transaction: either all three are there,
    or none of them; stock and ledger agree."""
    store = PoolStore(server.client())
    await open_pool(store)
    before = await hold(store, ["ana", "bo"])
    last = await hold(store, ["cy", "di", "eve"])
    await server.kill()
    aof = server.aof.read_bytes()
    places = places_in(aof)
    assert len(places) > 20
    for place in places:
        survivor = await server.copy(place).start()
        redis = survivor.client()
        found = {record.id for record in await PoolStore(redis).holds(POOL, [*before, *last])}
        assert found == {*before, *last} if place == len(aof) else found == {*before}
        assert await audit(redis, books) == []
        await survivor.close()


async def test_a_torn_sale_can_be_asked_for_again(server: RedisUnderTest, books: Database) -> None:
    """What the tear dropped was never acknowledged; the buyers' keys bring it as if nothing had been."""
    journal = Journal()
    await open_pool(PoolStore(server.client()))
    async with counter(server.client()) as batcher:
        await Buyers(batcher.reserve, journal.note).burst(range(3))
    await server.kill()
    aof = server.aof.read_bytes()
    survivor = await server.copy(aof.index(b"buyer_0")).start()
    again = Journal()
    async with counter(survivor.client()) as batcher:
        await Buyers(batcher.reserve, again.note).burst(range(3))
    assert again.told("held") == 3
    assert await verdict(survivor.client(), books, again) == []
