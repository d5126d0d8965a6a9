"""The ledger in SQL: every unit's movement, for good."""

from sqlalchemy.orm import Mapped, mapped_column

from streamserver.kit.sql import Table


class LedgerRow(Table):
    """One entry. `entry` is its canonical JSON with pseudonyms for people, `hash` its link in the chain: see `chain.py`.
    The numbers of a pool have no gap and go on from one generation to the next."""

    __tablename__ = "ledger"

    pool: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry: Mapped[str]
    hash: Mapped[str]


class LedgerCursorRow(Table):
    """How far a pool's ledger is archived (its last entry, with both chains' values there) and who may go on: `holder` until
    `leased_until`. `token` rises with each take-over. `resting`: the pool is over; should Redis lose it,
    others come back first."""

    __tablename__ = "ledger_cursors"

    pool: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int]
    n: Mapped[int]
    hash: Mapped[str]
    digest: Mapped[str]
    token: Mapped[int]
    holder: Mapped[str]
    leased_until: Mapped[int]
    resting: Mapped[bool]


class LedgerBuyerRow(Table):
    """Who a pseudonym is, until this row is deleted: then the ledger still verifies, and names nobody."""

    __tablename__ = "ledger_buyers"

    buyer: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[str]
    pseudonym: Mapped[str] = mapped_column(unique=True)
