"""What must be true after every fault, whatever happened."""

from collections import Counter
from collections.abc import Iterable, Sequence

import orjson
from redis.asyncio import Redis
from sqlalchemy import select

from streamserver.kit.sql import Database
from streamserver.stock.archive import LedgerArchive
from streamserver.stock.audit import Audit
from streamserver.stock.books import BALANCE, Books
from streamserver.stock.chain import Entry
from streamserver.stock.model import HoldRecord, Pool
from streamserver.stock.snapshot import look
from streamserver.stock.store import PoolStore
from streamserver.stock.tables import LedgerRow
from tests.faults.buyers import Journal
from tests.stock.ledger import POOL
from tests.stock.test_ledger_archive import let_the_lease_run_out

OUT = {"sell": 1, "retake": 1, "take": 1, "return": -1}  # ledger kinds that sell a hold, and the one that undoes it


class NoOrders:
    """Nobody places orders here: a sale is a confirmed hold, and the ledger has it."""

    async def disagreements(self, pool: Pool, holds: Sequence[HoldRecord]) -> list[str]:
        return []


async def verdict(redis: Redis, database: Database, journal: Journal, pool: Pool = POOL) -> list[str]:
    """Everything that is wrong, as sentences: with the ledger as it is now, and again once all of it is archived."""
    found = await _examine(redis, database, journal, pool)
    await let_the_lease_run_out(database)  # whoever had it may be dead
    await LedgerArchive(database, redis).run()
    if await PoolStore(redis).ledger(pool):
        found.append("Entries are left in the stream after archiving.")
    return found + await _examine(redis, database, journal, pool)


async def audit(redis: Redis, database: Database) -> list[str]:
    """What `run.py audit` would say of all pools."""
    return [finding for one in await Audit(database, redis, NoOrders()).run() for finding in one.findings]


async def ledger(redis: Redis, database: Database, pool: Pool) -> list[Entry]:
    """All entries: those in SQL, then those that are only in the stream."""
    async with database.read() as session:
        texts = await session.scalars(select(LedgerRow.entry).where(LedgerRow.pool == pool).order_by(LedgerRow.n))
        entries = [orjson.loads(text) for text in texts]
    return entries + [entry for entry in await PoolStore(redis).ledger(pool) if entry["n"] > len(entries)]


async def _examine(redis: Redis, database: Database, journal: Journal, pool: Pool) -> list[str]:
    entries, seen = await ledger(redis, database, pool), await look(redis, pool)
    found = _balance(pool, seen.units, entries)
    found += _holds(journal, entries) + _wishes(journal, seen.holds.values())
    return found + await audit(redis, database)


def _balance(pool: Pool, real: dict[str, dict[str, int]], entries: Sequence[Entry]) -> list[str]:
    """In Redis each SKU adds up, and the ledger alone gives the same numbers."""
    books, found = Books(pool), list[str]()
    for n, entry in enumerate(entries, 1):
        if entry["n"] != n:
            found.append(f"Entry {n} of the ledger has the number {entry['n']}.")
        books.enter(n, entry)
    found += [f"Entry {n} takes more units than there were." for n in books.overdrawn]
    found += [f"Entry {n} is an offer to somebody else than the head of the line." for n in books.unfair]
    for variant, units in real.items():
        came = units["restocked"] + units["moved_in"]
        if came != sum(units[name] for name in ("available", "held", "sold", "removed", "moved_out")):
            found.append(f"{variant} does not add up: {units}.")
        if min(units.values()) < 0:
            found.append(f"{variant} has less than nothing: {units}.")
        if books.units.get(variant, dict.fromkeys(BALANCE, 0)) != units:
            found.append(f"{variant}: Redis has {units}, the ledger {books.units.get(variant)}.")
    return found


def _holds(journal: Journal, entries: Sequence[Entry]) -> list[str]:
    """What was acknowledged is in the ledger, once; nothing is sold twice."""
    granted = Counter(entry["hold"] for entry in entries if entry["kind"] in {"hold", "wish", "offer"})
    sold = Counter[str]()
    for entry in entries:
        sold[entry.get("hold", "")] += OUT.get(entry["kind"], 0)
    lost = [
        f"Hold {hold} of {who} was acknowledged and is lost."
        for hold, who in journal.holds().items()
        if hold not in granted
    ]
    twice = [f"Hold {hold} was granted {count} times." for hold, count in granted.items() if count > 1]
    return lost + twice + [f"Hold {hold} was sold {count} times." for hold, count in sold.items() if count > 1]


def _wishes(journal: Journal, holds: Iterable[HoldRecord]) -> list[str]:
    """Each buyer wants one unit, so each has one hold at most; and it is the one that they were told."""
    taken, told = {hold.id: hold.buyer for hold in holds}, journal.holds()
    counts = Counter(taken.values())
    greedy = [f"{buyer} wanted one unit and took {count}." for buyer, count in counts.items() if count > 1]
    crossed = [
        f"Hold {hold} is {taken[hold]}'s and was told {who}."
        for hold, who in told.items()
        if taken.get(hold, who) != who
    ]
    return greedy + crossed
