"""The ledger's way from Redis into SQL: every entry once, in order, whoever crashes or wakes up late.

Per pool one process holds a lease, a row in SQL. Every transaction that stores entries checks the lease's token and moves
the cursor in the same row: an old lease-holder that wakes up stores nothing. The stream is trimmed only below what is
committed, so a crash between the two repeats the trim and nothing else.
"""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

import orjson
from redis.asyncio import Redis
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from streamserver.kit.clock import now_ms
from streamserver.kit.sql import Database
from streamserver.kit.tasks import each
from streamserver.stock.chain import GENESIS, Call, Entry, canonical, link
from streamserver.stock.model import Pool
from streamserver.stock.pseudonyms import Pseudonyms
from streamserver.stock.store import PoolStore
from streamserver.stock.tables import LedgerCursorRow, LedgerRow

LEASE_MS = 10_000
ROWS = 500  # of one transaction, and then a pause: other writers of SQLite wait 3.4 ms (p99), with 2,000 rows up to 1 s
PAUSE = 0.005  # seconds
CALLS = 250  # read from Redis at once


class LedgerBrokenError(Exception):
    """The stream does not continue what is archived: entries were lost or changed. Nothing more is archived or trimmed."""


class OvertakenError(Exception):
    """Another process holds the pool's lease now."""


async def is_known(database: Database, pool: Pool) -> bool:
    """Whether entries of this pool are in SQL."""
    async with database.read() as session:
        return await session.get(LedgerCursorRow, pool) is not None


class LedgerArchive:
    """`run` is for `jobs`. Any number of processes may run it."""

    def __init__(self, database: Database, redis: Redis) -> None:
        self._database = database
        self._store = PoolStore(redis)
        self._pseudonyms = Pseudonyms(database)
        self._holder = secrets.token_hex(8)

    async def run(self) -> None:
        """Move what is new in every pool; a pool that fails is logged and does not hold up the others."""
        await each(await self._store.pools_with_ledger(), self.move, "pool")

    async def rest(self, after_ms: int) -> None:
        """Free the pools that have been over for so long. SQL is told first: should Redis lose a resting pool, it comes back
        after those that sell."""
        for pool in await self._store.closed_before(now_ms() - after_ms):
            async with self._database.write() as session:
                (await session.get_one(LedgerCursorRow, pool)).resting = True
            if not await self._store.rest(pool):
                async with self._database.write() as session:
                    (await session.get_one(LedgerCursorRow, pool)).resting = False

    async def move(self, pool: Pool) -> None:
        """Bring one pool's ledger up to date in SQL. Raises LedgerBrokenError, OvertakenError."""
        cursor = await self._lease(pool)
        while cursor and (calls := await self._store.calls(pool, cursor.generation, cursor.n, CALLS)):
            for part in _portions(calls):
                cursor = await self._keep(cursor, part)
                await asyncio.sleep(PAUSE)
        if cursor and cursor.n:
            await self._store.archived(pool, cursor.generation, cursor.n, cursor.hash)

    async def _lease(self, pool: Pool) -> LedgerCursorRow | None:
        """The cursor, when this process may move it; None when another one may."""
        async with self._database.read() as session:
            cursor = await session.get(LedgerCursorRow, pool)
        if cursor and cursor.holder == self._holder and cursor.leased_until > now_ms() + LEASE_MS // 2:
            return cursor
        try:
            return await self._take(pool)
        except IntegrityError:  # another process met the new pool at this moment
            return None

    async def _take(self, pool: Pool) -> LedgerCursorRow | None:
        async with self._database.write() as session:
            cursor = await session.get(LedgerCursorRow, pool, with_for_update=True)
            if cursor is None:
                cursor = LedgerCursorRow(
                    pool=pool, generation=0, n=0, hash=GENESIS, digest="", token=0, holder="", resting=False
                )
                session.add(cursor)
            elif cursor.holder != self._holder and cursor.leased_until > now_ms():
                return None
            if cursor.holder != self._holder:
                cursor.holder = self._holder
                cursor.token += 1
            cursor.leased_until = now_ms() + LEASE_MS
        return cursor

    async def _keep(self, at: LedgerCursorRow, calls: Sequence[Call]) -> LedgerCursorRow:
        """Commit the entries of some calls together with the cursor behind them."""
        entries = _continued(at, calls)
        pseudonyms = await self._pseudonyms.of(person for _, entry in entries for person in people(entry))
        rows, previous = list[dict[str, Any]](), at.hash
        for generation, entry in entries:
            text = canonical(at.pool, generation, with_pseudonyms(entry, pseudonyms))
            previous = link(previous, text)
            rows.append({"pool": at.pool, "generation": generation, "n": entry["n"], "entry": text, "hash": previous})
        async with self._database.write() as session:
            cursor = await session.get_one(LedgerCursorRow, at.pool, with_for_update=True)
            if (cursor.token, cursor.n) != (at.token, at.n):
                raise OvertakenError(f"{at.pool}: another process archives this ledger now")
            await session.execute(insert(LedgerRow), rows)
            cursor.generation, cursor.n = calls[-1].generation, calls[-1].last
            cursor.hash, cursor.digest = previous, calls[-1].digest
            cursor.leased_until = now_ms() + LEASE_MS
        return cursor


def _portions(calls: Sequence[Call]) -> list[list[Call]]:
    """Whole calls, so that every row's digest is known; at most ROWS rows unless one call alone wrote more."""
    portions, rows = list[list[Call]](), ROWS
    for call in calls:
        count = len(call.entries())
        if rows + count > ROWS:
            portions.append([])
            rows = 0
        portions[-1].append(call)
        rows += count
    return portions


def _continued(at: LedgerCursorRow, calls: Sequence[Call]) -> list[tuple[int, Entry]]:
    """(generation, entry) of all calls, each call's last entry with the digest. Raises LedgerBrokenError."""
    entries, n, digest = list[tuple[int, Entry]](), at.n, at.digest
    for call in calls:
        own = call.entries()
        if [entry["n"] for entry in own] != list(range(n + 1, call.last + 1)):
            raise LedgerBrokenError(f"{at.pool}: after entry {n} the stream does not go on with {n + 1} to {call.last}")
        if not call.follows(digest):
            raise LedgerBrokenError(f"{at.pool}: the stream was changed between entries {n + 1} and {call.last}")
        own[-1]["digest"] = call.digest
        entries += [(call.generation, entry) for entry in own]
        n, digest = call.last, call.digest
    return entries


def people(entry: Entry) -> list[str]:
    """Whoever a stream entry names: the buyer of a hold, and the device it came from."""
    if "buyer" not in entry:
        return []
    device = orjson.loads(entry.get("source", "{}")).get("device")
    return [entry["buyer"], device] if device else [entry["buyer"]]


def with_pseudonyms(entry: Entry, pseudonyms: dict[str, str]) -> Entry:
    """The entry as it is archived: nobody named, and its source as an object."""
    if "buyer" not in entry:
        return entry
    named = {**entry, "buyer": pseudonyms[entry["buyer"]]}
    if "source" in entry:
        named["source"] = orjson.loads(entry["source"])
        if "device" in named["source"]:
            named["source"]["device"] = pseudonyms[named["source"]["device"]]
    return named
