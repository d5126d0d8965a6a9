"""Clocks that are wrong or jump: only Redis's own decides about deadlines, and even that one cannot lose a unit."""

import shutil
import struct
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from streamserver.config import StockConfig
from streamserver.kit.sql import Database
from streamserver.stock.store import PoolStore
from tests.faults.buyers import VARIANT, Buyers, Journal, counter, stock_service
from tests.faults.clerk import Job
from tests.faults.processes import Clerk, start_clerk
from tests.faults.redis_under_test import RedisUnderTest
from tests.faults.verdict import verdict
from tests.stock.ledger import POOL, hold, open_pool

MINUTES_10 = 600  # seconds
SOURCE = Path(__file__).with_name("clock.c")
COMPILER = shutil.which("cc") if sys.platform == "linux" else None

needs_compiler = pytest.mark.skipif(
    not COMPILER, reason="Redis's clock is moved by a preloaded library, and there is no C compiler (cc) to build it."
)


class MovableClock:
    """A Redis whose wall clock can be set ahead, or back, while it runs."""

    def __init__(self, server: RedisUnderTest, folder: Path) -> None:
        self.server = server
        self._file = folder / "ahead"
        self.set_ahead(0)
        library = folder / "clock.so"
        assert COMPILER
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
        server.environment |= {"LD_PRELOAD": str(library), "CLOCK_FILE": str(self._file)}

    def set_ahead(self, seconds: int) -> None:
        """In one write: Redis never reads half a number."""
        with self._file.open("r+b" if self._file.exists() else "wb", buffering=0) as file:
            file.write(struct.pack("=q", seconds))


@pytest.fixture
async def clock(binary: Path, tmp_path: Path) -> AsyncGenerator[MovableClock]:
    clock = MovableClock(RedisUnderTest(binary), tmp_path)
    await clock.server.start()
    yield clock
    await clock.server.close()


@pytest.mark.parametrize("ahead", [-MINUTES_10, MINUTES_10])
async def test_a_web_process_with_a_wrong_clock_sells_like_any_other(
    server: RedisUnderTest, books: Database, ahead: int
) -> None:
    """Its holds last exactly as long as everybody else's."""
    redis = server.client()
    service = stock_service(redis)
    await open_pool(PoolStore(redis), units=50)
    before = await service.time()
    clerk = await start_clerk(Job(server.url, "hold", buyers=60, clock=ahead))
    assert await clerk.end() == 0
    after = await service.time()
    records = await service.holds_in(POOL, list(clerk.journal.holds()))
    assert len(records) == 50
    assert all(before <= record.deadline - StockConfig().hold_seconds * 1000 <= after for record in records)
    assert await verdict(redis, books, clerk.journal) == []


async def test_archives_with_wrong_clocks_make_one_ledger(server: RedisUnderTest, books: Database) -> None:
    """They disagree about whose lease has run out: then they overtake each other, and every entry is there once."""
    redis = server.client()
    store = PoolStore(redis)
    await open_pool(store, units=50)
    clerks: list[Clerk] = []
    for ahead in (-MINUTES_10, MINUTES_10):
        await hold(store, [f"buyer_{ahead}"])
        clerks.append(await start_clerk(Job(server.url, "archive", database=books.url, clock=ahead)))
    assert [await clerk.end() for clerk in clerks] == [0, 0]
    assert await verdict(redis, books, Journal()) == []


@needs_compiler
async def test_a_jump_ahead_ends_holds_once_and_oversells_nothing(clock: MovableClock, books: Database) -> None:
    """Ten minutes pass at once: what was held is free again and sold to others; who then pays late is told that it is gone."""
    redis, first, second = clock.server.client(), Journal(), Journal()
    store, service = PoolStore(redis), stock_service(redis)
    await open_pool(store, units=20)
    async with counter(redis) as batcher:
        await Buyers(batcher.reserve, first.note).burst(range(20))
        early = next(iter(first.holds()))
        assert (await service.confirm(POOL, [early], "pay_early")).sold
        clock.set_ahead(MINUTES_10)
        await Buyers(batcher.reserve, second.note).burst(range(20, 50))
    assert (second.told("held"), second.told("sold_out")) == (19, 11)
    for late in [*first.holds()][1:]:
        assert (await service.confirm(POOL, [late], f"pay_{late}")).lost == (late,)
    first.lines += second.lines
    assert await verdict(redis, books, first) == []


@needs_compiler
async def test_a_jump_back_keeps_every_hold_and_frees_none(clock: MovableClock, books: Database) -> None:
    """Holds then last ten minutes longer, not shorter; they can be paid for and given up, and end at their deadline."""
    redis, journal = clock.server.client(), Journal()
    store, service = PoolStore(redis), stock_service(redis)
    await open_pool(store, units=3)
    async with counter(redis) as batcher:
        buyers = Buyers(batcher.reserve, journal.note)
        await buyers.burst(range(3))
        clock.set_ahead(-MINUTES_10)
        await service.tidy()
        paid, given_up, waiting = journal.holds()
        assert {record.status for record in await service.holds_in(POOL, [paid, given_up, waiting])} == {"held"}
        assert (await service.confirm(POOL, [paid], "pay_1")).sold
        await service.release(given_up, [journal.holds()[given_up]])
        await buyers.burst(range(3, 5))
        clock.set_ahead(MINUTES_10)
        await service.tidy()
    ended = await service.holds_in(POOL, [paid, given_up, waiting])
    assert [record.status for record in ended] == ["sold", "released", "expired"]
    units = (await store.units(POOL, [VARIANT]))[VARIANT]
    assert (units.available, units.held, units.sold) == (2, 0, 1)
    assert await verdict(redis, books, journal) == []
