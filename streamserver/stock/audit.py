"""`run.py audit`: proves of every pool that no unit was lost, doubled or sold twice, and that nobody changed its ledger.

It may run while the shop sells. The cursor is read first, then the whole pool in one transaction of Redis, then SQL: an
entry is archived before it leaves the stream, so every entry up to that moment is in one of the two.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

from redis.asyncio import Redis
from sqlalchemy import select

from streamserver.kit.sql import Database
from streamserver.stock.books import BALANCE, Books, HoldFacts, Transfer
from streamserver.stock.chain import GENESIS, Chain
from streamserver.stock.model import HoldRecord, Pool
from streamserver.stock.pseudonyms import Names, Pseudonyms
from streamserver.stock.snapshot import Seen, look
from streamserver.stock.store import PoolStore
from streamserver.stock.tables import LedgerCursorRow, LedgerRow

PAGE = 1000  # rows

Half = Literal["sent", "received"]
Halves = dict[Half, dict[str, Transfer]]


class OrderBook(Protocol):
    """What the audit asks of orders."""

    async def disagreements(self, pool: Pool, holds: Sequence[HoldRecord]) -> list[str]:
        """A sentence for each sold hold without its order line and each sold line without its hold; `holds` are all of
        the pool, read before the orders are."""
        ...


@dataclass(slots=True)
class Verdict:
    """`findings` are sentences; none means that everything agrees. What can be mended: `too_many`, variants of which Redis
    has more available than the ledger says (how many that is), and `on_their_way`, transfers in the outbox."""

    pool: Pool
    entries: int = 0
    units: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    findings: list[str] = field(default_factory=list[str])
    too_many: dict[str, int] = field(default_factory=dict[str, int])
    on_their_way: dict[str, Transfer] = field(default_factory=dict[str, Transfer])


class Audit:
    def __init__(self, database: Database, redis: Redis, orders: OrderBook) -> None:
        self._database = database
        self._redis = redis
        self._store = PoolStore(redis)
        self._orders = orders
        self._pseudonyms = Pseudonyms(database)
        self._transfers: dict[Pool, Halves] = {}

    async def run(self, only: Pool | None = None) -> list[Verdict]:
        """The verdict on each pool, or on one."""
        return [await self._judge(pool) for pool in ([only] if only else await self._pools())]

    async def _pools(self) -> list[Pool]:
        async with self._database.read() as session:
            known = set(await session.scalars(select(LedgerCursorRow.pool)))
        keys = [
            key.decode()
            async for key in cast("AsyncIterator[bytes]", self._redis.scan_iter(match="{*}:pool", count=1000))
        ]
        return sorted(known | {key.removeprefix("{").removesuffix("}:pool") for key in keys})

    async def _judge(self, pool: Pool) -> Verdict:
        async with self._database.read() as session:
            cursor = await session.get(LedgerCursorRow, pool)
        seen = await look(self._redis, pool)
        books, findings = await self._read(pool, seen, cursor)
        names = Names(await self._pseudonyms.known(seen.buyers()), seen.recent_buyers())
        self._transfers[pool] = {"sent": books.sent, "received": books.received}
        verdict = Verdict(pool, seen.entries, seen.units, findings)
        if not findings:
            verdict.too_many = _too_many(seen, books)
            verdict.on_their_way = {id_: sent for id_, sent in seen.outbox.items() if books.sent.get(id_) == sent}
        findings += _units(seen, books)
        if seen.state != "resting":  # its holds are in SQL alone
            findings += _holds(seen, books, names) + _counts(seen, books, names)
            findings += await self._orders.disagreements(pool, list(seen.holds.values()))
        findings += await self._open_transfers(seen, books)
        return verdict

    async def _read(self, pool: Pool, seen: Seen, cursor: LedgerCursorRow | None) -> tuple[Books, list[str]]:
        """Add up the archived rows and then the stream, and check both chains on the way."""
        books, chain = Books(pool), Chain(pool)
        kept = {seen.archived, (cursor.n, cursor.hash) if cursor else seen.archived} - {(0, ""), (0, GENESIS)}
        digest = ""
        columns = select(LedgerRow.generation, LedgerRow.n, LedgerRow.entry, LedgerRow.hash).where(
            LedgerRow.pool == pool
        )
        rows = columns.order_by(LedgerRow.generation, LedgerRow.n).execution_options(yield_per=PAGE)
        async with self._database.read() as session:
            async for generation, n, text, link in await session.stream(rows):
                entry = chain.read(generation, n, text, link)
                kept.discard((n, link))
                if n <= seen.entries:
                    digest = chain.digest
                    books.enter(n, entry)
        findings = [f"The archived ledger is broken: {what}." for what in chain.breaks]
        findings += [f"The archived ledger is not the one that was kept: entry {n} has another hash." for n, _ in kept]
        if cursor and cursor.n > seen.entries:
            findings.append(f"Redis is behind: it knows {seen.entries} entries, and {cursor.n} are archived.")
        findings += _stream(seen, books, digest)
        findings += [f"Entry {n} cannot be read." for n in books.unreadable]
        findings += [f"Entry {n} takes more units than there were." for n in books.overdrawn]
        findings += [f"Entry {n} offers a unit to somebody whose turn it was not." for n in books.unfair]
        return books, findings

    async def _open_transfers(self, seen: Seen, books: Books) -> list[str]:
        """What left a pool is on its way (in the outbox) or has arrived, and what arrived had left."""
        findings: list[str] = []
        for transfer, sent in books.sent.items():
            mirrored = Transfer(books.pool, sent.variant, sent.quantity)
            if transfer in seen.outbox:
                if seen.outbox[transfer] != sent:
                    findings.append(f"Transfer {transfer} is not on its way as it was sent.")
            elif await self._partner(sent.other, transfer, "received") != mirrored:
                findings.append(
                    f"Transfer {transfer} of {sent.quantity} x {sent.variant} did not arrive in {sent.other}."
                )
        for transfer, got in books.received.items():
            mirrored = Transfer(books.pool, got.variant, got.quantity)
            if await self._partner(got.other, transfer, "sent") != mirrored:
                findings.append(f"Transfer {transfer} of {got.quantity} x {got.variant} was never sent by {got.other}.")
        unsent = seen.outbox.keys() - books.sent.keys()
        return findings + [f"Transfer {transfer} is on its way, but nothing left for it." for transfer in unsent]

    async def _partner(self, pool: Pool, transfer: str, half: Half) -> Transfer | None:
        """The other half. What was read before this pool may be too old to show it, so it is read again then."""
        for fresh in (False, True):
            if fresh or pool not in self._transfers:
                books, _ = await self._read(pool, await look(self._redis, pool), None)
                self._transfers[pool] = {"sent": books.sent, "received": books.received}
            if found := self._transfers[pool][half].get(transfer):
                return found
        return None


def _stream(seen: Seen, books: Books, digest: str) -> list[str]:
    """Enter what is not archived yet; what comes after a gap or a break is entered too, so that one fault is one finding."""
    findings: list[str] = []
    for call in seen.calls:
        if call.last <= books.n:
            continue
        entries = call.entries()
        numbers: list[int] = [entry.get("n", 0) for entry in entries]
        if numbers != list(range(books.n + 1, call.last + 1)):
            findings.append(f"Entries {books.n + 1} to {call.last} are not all in the stream.")
        elif not call.follows(digest):
            findings.append(f"The stream was changed: entries {books.n + 1} to {call.last} do not fit their digest.")
        for n, entry in zip(numbers, entries, strict=True):
            books.enter(n, entry)
        digest = call.digest
    if books.n != seen.entries:
        findings.append(f"The ledger ends at entry {books.n}, but Redis has written {seen.entries}.")
    elif digest != seen.digest:
        findings.append("The pool's digest in Redis is not that of its ledger.")
    return findings


def _too_many(seen: Seen, books: Books) -> dict[str, int]:
    told = {variant: units["available"] for variant, units in books.units.items()}
    return {v: told.get(v, 0) for v, units in seen.units.items() if units["available"] > told.get(v, 0)}


def _units(seen: Seen, books: Books) -> list[str]:
    findings: list[str] = []
    for variant in sorted(seen.units.keys() | books.units.keys()):
        real = seen.units.get(variant, dict.fromkeys(BALANCE, 0))
        entered = books.units.get(variant, dict.fromkeys(BALANCE, 0))
        came = real["restocked"] + real["moved_in"]
        there = sum(real[name] for name in ("available", "held", "sold", "removed", "moved_out"))
        if came != there:
            findings.append(f"{variant}: {came} units came in, but {there} are accounted for.")
        findings += [f"{variant}: {name} is {value}, below nothing." for name, value in real.items() if value < 0]
        findings += [
            f"{variant}: {name} is {real[name]}, but the ledger says {entered[name]}."
            for name in BALANCE
            if real[name] != entered[name]
        ]
    return findings


def _holds(seen: Seen, books: Books, names: Names) -> list[str]:
    """Each hold as the ledger tells it, and every living one with a deadline: otherwise its units never come back."""
    real = {hold: _facts(record, names) for hold, record in seen.holds.items()}
    told = {hold: facts._replace(buyer=names.of(facts.buyer)) for hold, facts in books.holds.items()}
    findings = [
        f"Hold {hold} is {_words(real.get(hold))}, but the ledger says {_words(told.get(hold))}."
        for hold in sorted(real.keys() | told.keys())
        if real.get(hold) != told.get(hold)
    ]
    living = {hold: record for hold, record in seen.holds.items() if record.is_living}
    if len(living) != seen.living:
        findings.append(f"{len(living)} holds may still be paid, but the pool counts {seen.living}.")
    endless = [hold for hold, record in living.items() if (hold, record.deadline) not in seen.due]
    return findings + [f"Hold {hold} would never expire." for hold in endless]


def _facts(hold: HoldRecord, names: Names) -> HoldFacts:
    payment = (hold.payment or "") if hold.status == "sold" else ""
    return HoldFacts(names.of(hold.buyer), hold.variant, hold.quantity, hold.status, payment)


def _words(facts: HoldFacts | None) -> str:
    if facts is None:
        return "unknown"
    return (
        f"{facts.status} ({facts.quantity} x {facts.variant}, buyer {facts.buyer[:12]}, payment {facts.payment or '-'})"
    )


def _counts(seen: Seen, books: Books, names: Names) -> list[str]:
    """What counts against each buyer's limit."""
    real, told = _named(seen.counts, names), _named(books.counts, names)
    return [
        f"{variant}: {real[buyer, variant]} count against buyer {buyer[:12]}, but the ledger says {told[buyer, variant]}."
        for buyer, variant in sorted(real.keys() | told.keys())
        if real[buyer, variant] != told[buyer, variant]
    ]


def _named(counts: dict[tuple[str, str], int], names: Names) -> Counter[tuple[str, str]]:
    named: Counter[tuple[str, str]] = Counter()
    for (buyer, variant), count in counts.items():
        named[names.of(buyer), variant] += count
    return named
