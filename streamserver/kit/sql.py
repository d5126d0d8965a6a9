"""The database: SQLite in WAL mode by default, PostgreSQL by URL; one way to read and one way to write.

SQLite's default BEGIN lets two writers start and then fails one of them at once, whatever the time-out (28-40 % *locked*
with three processes). `write()` therefore begins with BEGIN IMMEDIATE, which waits its turn.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import BigInteger, Connection, MetaData, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import JSON

BUSY_TIMEOUT_MS = 10_000


class Table(DeclarativeBase):
    """Base of every table. Times are milliseconds since the epoch; structured columns are JSON."""

    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON, list[str]: JSON, list[dict[str, Any]]: JSON}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    """A pool of connections to one database URL (`sqlite+aiosqlite://…` or `postgresql+asyncpg://…`)."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Parameters hold addresses and e-mails: they stay out of errors, and so out of logs.
        self.engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"), hide_parameters=True)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        writing = self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE") if self.is_sqlite else self.engine
        self._readers = async_sessionmaker(self.engine, expire_on_commit=False)
        self._writers = async_sessionmaker(writing, expire_on_commit=False)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """Open one consistent view; nothing written in it is kept."""
        async with self._readers() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back when the block raises or is cancelled.

        Leaving the session is all that a rollback takes, and SQLAlchemy shields that from a second cancellation.
        """
        async with self._writers() as session:
            yield session
            await session.commit()

    async def close(self) -> None:
        await self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is late and deferred: ours is explicit
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
