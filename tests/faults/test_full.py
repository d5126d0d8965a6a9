"""Memory or disk is full: nothing new is accepted, nothing acknowledged is lost, and with room again the sale goes on."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis.asyncio import Redis

from streamserver.kit.errors import OneMoment
from streamserver.kit.ids import new_id
from streamserver.kit.sql import Database
from streamserver.stock.archive import LedgerArchive
from streamserver.stock.store import PoolStore
from tests.faults.buyers import VARIANT, Buyers, Journal, counter
from tests.faults.redis_under_test import RedisUnderTest
from tests.faults.verdict import audit, verdict
from tests.harness import Server
from tests.stock.ledger import POOL, hold, open_pool
from tests.stories.people import Host, Person, Refused

UNITS = 20_000  # more than fit
MEMORY = 2_000_000  # bytes that are left: much more than what a client's buffers take now and then
FILE = 400_000  # bytes that are left: enough for some hundred holds
DISK = 160_000_000  # bytes of a disk that Redis is willing to start on


async def sell_until_full(buyers: Buyers, journal: Journal) -> None:
    """More and more buyers, each asking once, until one of them is told *one moment*."""
    start = 0
    while "one_moment" not in journal.words():
        await asyncio.gather(*(buyers.ask_once(f"buyer_{n}", "key") for n in range(start, start + 50)))
        start += 50


async def fill_memory(server: RedisUnderTest) -> None:
    redis = server.client()
    await redis.config_set("maxmemory", (await redis.info("memory"))["used_memory"] + MEMORY)


async def squeeze(redis: Redis) -> None:
    """Leave Redis clearly over its limit, whatever the buffers of clients do."""
    await redis.config_set("maxmemory", (await redis.info("memory"))["used_memory"] - 100_000)


async def test_full_memory_stops_the_sale_and_more_memory_resumes_it(server: RedisUnderTest, books: Database) -> None:
    """Buyers are told *one moment*, not *sold out*; every unit is accounted for; their keys work once there is room."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=UNITS)
    await fill_memory(server)
    async with counter(redis) as batcher:
        buyers = Buyers(batcher.reserve, journal.note)
        await sell_until_full(buyers, journal)
        assert journal.words() == {"asks", "held", "one_moment"}
        units = (await PoolStore(redis).units(POOL, [VARIANT]))[VARIANT]
        assert units.available + units.held == UNITS
        await redis.config_set("maxmemory", 0)
        await asyncio.gather(*(buyers.ask_once(buyer, "key") for buyer in journal.undecided()))
    assert journal.undecided() == set()
    assert await verdict(redis, books, journal) == []


async def test_who_pays_in_full_memory_is_told_one_moment_too(server: RedisUnderTest, books: Database) -> None:
    """Nothing changes meanwhile, and the same payment goes through once there is room."""
    redis = server.client()
    store = PoolStore(redis)
    await open_pool(store)
    [first, second] = await hold(store, ["ana", "bo"])
    await squeeze(redis)
    for name, *arguments in (("confirm", "pay_1", 1, first), ("release", second), ("restock", "more", VARIANT, 5)):
        with pytest.raises(OneMoment):
            await store.run(str(name), POOL, *arguments)
    await redis.config_set("maxmemory", 0)
    assert await store.run("confirm", POOL, "pay_1", 1, first) == [b"sold"]
    assert (await store.units(POOL, [VARIANT]))[VARIANT].held == 1
    assert await audit(redis, books) == []


async def test_the_audit_works_in_full_memory(server: RedisUnderTest, books: Database) -> None:
    """That is when somebody wants to know."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=UNITS)
    await fill_memory(server)
    async with counter(redis) as batcher:
        await sell_until_full(Buyers(batcher.reserve, journal.note), journal)
    await squeeze(redis)
    assert await audit(redis, books) == []


async def test_archiving_makes_room_in_full_memory(server: RedisUnderTest, books: Database) -> None:
    """The ledger is trimmed although Redis takes no more: then the sale goes on by itself."""
    redis, journal = server.client(), Journal()
    await open_pool(PoolStore(redis), units=UNITS)
    await fill_memory(server)
    async with counter(redis) as batcher:
        buyers = Buyers(batcher.reserve, journal.note)
        await sell_until_full(buyers, journal)
        await squeeze(redis)
        await LedgerArchive(books, redis).run()
        assert await PoolStore(redis).ledger(POOL) == []
        assert await buyers.ask_once("latecomer", "key") == "held"
    assert await verdict(redis, books, journal) == []


async def test_redis_ends_on_a_full_disk_and_has_everything_afterwards(server: RedisUnderTest, books: Database) -> None:
    """Its append-only file may not grow any more: it ends rather than answer what it cannot keep."""
    journal = Journal()
    await open_pool(PoolStore(server.client()), units=UNITS)
    most = server.aof.stat().st_size + FILE
    server.process.rlimit(psutil.RLIMIT_FSIZE, (most, most))
    async with counter(server.client()) as batcher:
        buyers = Buyers(batcher.reserve, journal.note)
        await sell_until_full(buyers, journal)
        assert await server.ended() == 1
        assert journal.holds()
        await server.start()
        await asyncio.gather(*(buyers.ask_once(buyer, "key") for buyer in journal.undecided()))
    assert journal.undecided() == set()
    assert await verdict(server.client(), books, journal) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A disk of its own, small enough to fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={DISK}", "small", folder], check=True)
    yield folder
    subprocess.run(["/bin/umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """Leave not one byte."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free)
    return filler


async def refusal(buyer: Person, path: str, variant: str) -> dict[str, Any]:
    """Ask for more and more until the server says no; what it says."""
    while True:
        try:
            await buyer.post(path, {"key": new_id("key"), "variant": variant})
        except Refused as refused:
            return refused.problem


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root may mount a disk that is small enough to fill.")
async def test_the_server_waits_for_space_and_goes_on(small_disk: Path) -> None:
    """Nothing paused the sale in time: Redis ends when it cannot write, and is not started again in a loop, since the
    supervisor waits for space, and says so. With space again everything goes on by itself, and what was held is held."""
    server = Server(small_disk, stock__tries_per_buyer=1000, stock__min_free_space=0)
    async with Host(server.url) as host, Person(server.url) as buyer:
        await host.open("hanna")
        variant = (await host.offer("Mug", 100, limit=100))["variants"][0]["id"]
        await host.post(f"rooms/{host.room}/start")
        wish = {"key": new_id("key"), "variant": variant}
        held = await buyer.post(f"rooms/{host.room}/holds", wish)
        filler = fill(small_disk)
        assert (await refusal(buyer, f"rooms/{host.room}/holds", variant))["code"] == "one_moment"
        server.wait_for(lambda: server.log.count("the disk is full: waiting for space") > 2)
        assert "redis" not in server.children()
        filler.unlink()
        server.wait_for(lambda: "redis" in server.children())
        assert (await buyer.post(f"rooms/{host.room}/holds", wish | {"retry": True}))["id"] == held["id"]
    server.stop()
