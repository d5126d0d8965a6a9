"""The schema's history, run at every start: `migrate` brings a database to the newest version, one process at a time.

To add one, change a `tables.py` and run `make migration name="what changes"`.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from streamserver.kit.sql import Database

HERE = Path(__file__).parent
LOCK_NUMBER = 7_327_168_225  # PostgreSQL's advisory lock for this; any constant would do


async def migrate(database: Database) -> None:
    """Upgrade to the newest version. Whoever comes second waits, and then finds nothing to do."""
    async with _file_lock(database), database.engine.connect() as connection:
        if not database.is_sqlite:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK_NUMBER})"))
        await connection.run_sync(_upgrade)
        await connection.commit()


async def is_current(database: Database) -> bool:
    """Whether the database has the newest version."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_version) == ScriptDirectory(str(HERE)).get_current_head()


def script_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(script_config(connection), "head")


def _version(connection: Connection) -> Any:
    return MigrationContext.configure(connection).get_current_revision()


@asynccontextmanager
async def _file_lock(database: Database) -> AsyncGenerator[None]:
    """SQLite has no lock that outlives a transaction: a file beside it does."""
    path = make_url(database.url).database if database.is_sqlite else None
    if path is None:
        yield
        return
    lock = await asyncio.to_thread(_locked_file, Path(f"{path}.migrating"))
    try:
        yield
    finally:
        os.close(lock)


def _locked_file(path: Path) -> int:
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock
