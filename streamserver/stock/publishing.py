"""A pool's ledger as a file that anybody can check: one JSON object a line, `{"hash": …, "entry": {…}}`, oldest first.

Nobody is named in it (buyers are pseudonyms), and it needs no server: the hashes prove that nothing was changed or left out
since the last of them was made known, and the entries prove what was sold, in which order, and to whom it was offered.
"""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

import orjson
from sqlalchemy import select

from streamserver.kit.sql import Database
from streamserver.stock.books import Books
from streamserver.stock.chain import Chain, canonical
from streamserver.stock.model import Pool
from streamserver.stock.tables import LedgerRow

PAGE = 1000  # rows


async def publish(database: Database, pool: Pool) -> AsyncGenerator[str]:
    """The lines of one pool's archived ledger; none for a pool that has none."""
    columns = select(LedgerRow.entry, LedgerRow.hash).where(LedgerRow.pool == pool)
    rows = columns.order_by(LedgerRow.generation, LedgerRow.n).execution_options(yield_per=PAGE)
    async with database.read() as session:
        async for entry, link in await session.stream(rows):
            yield f'{{"hash":"{link}","entry":{entry}}}'


@dataclass(frozen=True, slots=True)
class Checked:
    """`head` is the newest hash: whoever has published the same one has published the same ledger. `findings` are sentences."""

    pool: Pool
    entries: int
    head: str
    units: dict[str, dict[str, int]]
    findings: list[str]


def check(lines: Iterable[str]) -> Checked:
    """Verify a published ledger: its chain, its numbers, and that nothing was sold that was not there."""
    chain = books = None
    for number, line in enumerate(lines, 1):
        try:
            kept = orjson.loads(line)
            entry = kept["entry"]
            pool, generation, n, link = str(entry["pool"]), int(entry["generation"]), int(entry["n"]), str(kept["hash"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return Checked("", 0, "", {}, [f"Line {number} is not a line of a ledger."])
        if chain is None or books is None:
            chain, books = Chain(pool), Books(pool)
        books.enter(n, chain.read(generation, n, canonical(pool, generation, entry), link))
    if chain is None or books is None:
        return Checked("", 0, "", {}, ["The file is empty."])
    findings = [f"The ledger was changed: {found}." for found in chain.breaks]
    findings += [f"Entry {n} takes more units than there were." for n in books.overdrawn]
    findings += [f"Entry {n} offers a unit to somebody whose turn it was not." for n in books.unfair]
    findings += [f"Entry {n} cannot be read." for n in books.unreadable]
    return Checked(books.pool, chain.n, chain.hash, books.units, findings)
