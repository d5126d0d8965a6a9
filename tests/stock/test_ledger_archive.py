"""The ledger's way into SQL: every entry once and in order, whoever crashes, doubles or wakes up late."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgpack
import orjson
import pytest
from redis.asyncio import Redis
from sqlalchemy import select, update

from streamserver.kit.clock import now_ms
from streamserver.kit.redis import connect
from streamserver.kit.sql import Database
from streamserver.stock.archive import ROWS, LedgerArchive, LedgerBrokenError, OvertakenError
from streamserver.stock.chain import Chain
from streamserver.stock.keys import pool_keys
from streamserver.stock.store import PoolStore
from streamserver.stock.tables import LedgerCursorRow, LedgerRow
from tests.stock.ledger import POOL, hold, open_pool, rewrite_stream, stream_of

LEDGER = pool_keys(POOL).ledger


@pytest.fixture
async def store(redis: Redis) -> PoolStore:
    """An open pool with ten units, three of them held."""
    store = PoolStore(redis)
    await open_pool(store)
    await hold(store, ["ana", "bo", "cy"])
    return store


@pytest.fixture
def archive(database: Database, redis: Redis) -> LedgerArchive:
    return LedgerArchive(database, redis)


async def rows_of(database: Database) -> Sequence[LedgerRow]:
    async with database.read() as session:
        return (await session.scalars(select(LedgerRow).order_by(LedgerRow.n))).all()


async def verify(database: Database, entries: int) -> None:
    """The archived ledger has so many entries, without a gap, and its chain is whole."""
    chain = Chain(POOL)
    for row in await rows_of(database):
        chain.read(row.generation, row.n, row.entry, row.hash)
    assert chain.breaks == []
    assert chain.n == entries


async def let_the_lease_run_out(database: Database) -> None:
    async with database.write() as session:
        await session.execute(update(LedgerCursorRow).values(leased_until=0))


async def test_every_entry_is_archived_once_and_leaves_the_stream(
    store: PoolStore, archive: LedgerArchive, database: Database
) -> None:
    """After each run SQL has all entries in one whole chain, and Redis none."""
    await archive.run()
    await verify(database, 5)
    holds = await hold(store, ["di"])
    await store.run("confirm", POOL, "pay_1", 1, *holds)
    await archive.run()
    await archive.run()
    await verify(database, 7)
    assert await store.ledger(POOL) == []


async def test_many_entries_are_archived_in_portions(
    store: PoolStore, archive: LedgerArchive, database: Database
) -> None:
    """More than one transaction takes: the chain goes on from one to the next."""
    for number in range(ROWS + 20):
        await store.run("restock", POOL, f"op{number}", "var_a", 1)
    await archive.move(POOL)
    await verify(database, ROWS + 25)


async def test_a_crash_between_commit_and_trim_doubles_nothing(
    store: PoolStore, archive: LedgerArchive, database: Database, redis: Redis
) -> None:
    """Entries that are in SQL and still in the stream are only trimmed."""
    stream = await stream_of(redis)
    await archive.move(POOL)
    await rewrite_stream(redis, stream)
    await LedgerArchive(database, redis).move(POOL)  # another one: the lease is not its own
    assert await store.ledger(POOL)
    await archive.move(POOL)
    assert await store.ledger(POOL) == []
    await verify(database, 5)


async def test_two_archives_at_once_make_one_ledger(
    store: PoolStore, archive: LedgerArchive, database: Database, redis: Redis
) -> None:
    """Whoever has the lease moves on; the other one stores nothing."""
    others = [LedgerArchive(database, redis) for _ in range(3)]
    for number in range(20):
        await store.run("restock", POOL, f"op{number}", "var_a", 1)
        await asyncio.gather(*(one.run() for one in [archive, *others]))
    await archive.move(POOL)
    for one in others:
        await one.move(POOL)
    await verify(database, 25)


async def test_an_old_lease_holder_that_wakes_up_stores_nothing(
    store: PoolStore, archive: LedgerArchive, database: Database, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stalls after reading, loses its lease to another, and is refused by the token when it goes on."""
    await archive.run()
    stalled, goes_on = asyncio.Event(), asyncio.Event()
    slow = connect(redis_url)
    read = slow.xrange

    async def stall(*args: Any) -> Any:
        found = await read(*args)
        stalled.set()
        await goes_on.wait()
        return found

    monkeypatch.setattr(slow, "xrange", stall)
    await hold(store, ["di"])
    await let_the_lease_run_out(database)
    sleeper = asyncio.create_task(LedgerArchive(database, slow).move(POOL))
    await stalled.wait()
    await let_the_lease_run_out(database)
    await archive.move(POOL)
    goes_on.set()
    with pytest.raises(OvertakenError):
        await sleeper
    await slow.aclose()
    await verify(database, 6)
    async with database.read() as session:
        assert (await session.get_one(LedgerCursorRow, POOL)).token == 3


async def test_a_gap_in_the_stream_is_refused(
    store: PoolStore, archive: LedgerArchive, database: Database, redis: Redis
) -> None:
    """An entry is gone: nothing behind it is archived, and nothing is trimmed."""
    [first, *_] = await stream_of(redis)
    await redis.xdel(LEDGER, first[0])
    with pytest.raises(LedgerBrokenError, match="after entry 0"):
        await archive.move(POOL)
    await verify(database, 0)
    assert len(await store.ledger(POOL)) == 4


async def test_a_changed_stream_entry_is_refused(
    store: PoolStore, archive: LedgerArchive, database: Database, redis: Redis
) -> None:
    """It no longer fits the digest that the script wrote beside it."""
    [opening, (id_, fields), *rest] = await stream_of(redis)
    first, at, [[kind, what]] = msgpack.unpackb(fields[b"entries"])
    fields[b"entries"] = msgpack.packb([first, at, [[kind, {**what, "state": "closed"}]]])
    await rewrite_stream(redis, [opening, (id_, fields), *rest])
    with pytest.raises(LedgerBrokenError, match="changed"):
        await archive.move(POOL)
    await verify(database, 0)


async def test_nobody_is_named_in_the_archive(store: PoolStore, archive: LedgerArchive, database: Database) -> None:
    """Buyers and devices go by pseudonyms, each always by the same; everything else of a hold is kept."""
    await hold(store, ["ana"])
    await archive.move(POOL)
    entries = [orjson.loads(row.entry) for row in await rows_of(database)]
    text = str(entries)
    assert not any(f"'{name}'" in text for name in ("ana", "bo", "cy", "dev_phone"))
    assert entries[2]["buyer"] == entries[5]["buyer"] != entries[3]["buyer"]
    kept = {"hold", "buyer", "key", "price", "currency", "deadline", "source", "variant", "quantity", "kind", "at", "n"}
    assert kept <= entries[2].keys()


async def test_a_pool_is_looked_after_until_its_ledger_is_archived(store: PoolStore, archive: LedgerArchive) -> None:
    """Closed and empty is not enough to be forgotten."""
    for one in [entry["hold"] for entry in await store.ledger(POOL) if entry["kind"] == "hold"]:
        await store.run("release", POOL, one)
    await store.run("life", POOL, "close", 0)
    for transfer in await store.outbox(POOL):
        await store.run("settle", POOL, transfer)
    await store.retire(POOL, now_ms())
    assert await store.pools() == {POOL}
    await archive.run()
    await store.retire(POOL, now_ms())
    assert await store.pools() == set()
