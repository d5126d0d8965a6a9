"""Names for buyers and their devices in a ledger that anybody may read."""

import hashlib
import secrets
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from streamserver.kit.sql import Database
from streamserver.stock.tables import LedgerBuyerRow

ERASED = "erased"
CHUNK = 500  # values in one IN: SQLite takes at most 999 in old versions


class Names:
    """One name for a buyer whom Redis and the archive call differently: the pseudonym, else (not archived yet) the id, else
    ERASED for all whose salt is gone."""

    def __init__(self, known: dict[str, str], fresh: set[str]) -> None:
        self._known = known
        self._same = fresh | set(known.values())

    def of(self, name: str) -> str:
        return self._known.get(name) or (name if name in self._same else ERASED)


class Pseudonyms:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, buyers: Iterable[str]) -> dict[str, str]:
        """Buyer → pseudonym, of those that have one."""
        return {row.buyer: row.pseudonym for row in await self._rows(LedgerBuyerRow.buyer, buyers)}

    async def people(self, pseudonyms: Iterable[str]) -> dict[str, str]:
        """Pseudonym → whose it is, of those who were not erased."""
        return {row.pseudonym: row.buyer for row in await self._rows(LedgerBuyerRow.pseudonym, pseudonyms)}

    async def _rows(self, column: InstrumentedAttribute[str], values: Iterable[str]) -> list[LedgerBuyerRow]:
        wanted, found = sorted(set(values)), list[LedgerBuyerRow]()
        async with self._database.read() as session:
            for start in range(0, len(wanted), CHUNK):
                part = column.in_(wanted[start : start + CHUNK])
                found += await session.scalars(select(LedgerBuyerRow).where(part))
        return found

    async def of(self, buyers: Iterable[str]) -> dict[str, str]:
        """Buyer → pseudonym; who has none gets one."""
        wanted = set(buyers)
        found = await self.known(wanted)
        missing = wanted - found.keys()
        if not missing:
            return found
        try:
            async with self._database.write() as session:
                session.add_all([_row(buyer) for buyer in sorted(missing)])
        except IntegrityError:  # the archive of another pool met the same buyer at this moment
            return await self.of(wanted)
        return await self.known(wanted)


def _row(buyer: str) -> LedgerBuyerRow:
    salt = secrets.token_hex(16)
    return LedgerBuyerRow(buyer=buyer, salt=salt, pseudonym=hashlib.sha256(f"{salt}{buyer}".encode()).hexdigest())
