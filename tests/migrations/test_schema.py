"""The migrations and the tables tell the same story, on both databases."""

import asyncio
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from streamserver.kit.sql import Database, Table
from streamserver.migrations import is_current, migrate
from streamserver.migrations.new import import_tables


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Table.metadata))


async def test_migrations_make_the_tables(database: Database, tmp_path: Path) -> None:
    """A database made by migrations alone is the one that the code expects."""
    import_tables()
    fresh = await emptied(database, tmp_path)
    await migrate(fresh)
    async with fresh.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await is_current(fresh)
    await restored(fresh, database)


async def test_many_processes_may_migrate_at_once(database: Database, tmp_path: Path) -> None:
    """The first one does it, the others wait and find it done."""
    fresh = await emptied(database, tmp_path)
    await asyncio.gather(*(migrate(Database(fresh.url)) for _ in range(4)))
    assert await is_current(fresh)
    await restored(fresh, database)


async def emptied(database: Database, tmp_path: Path) -> Database:
    """A database without any table, of the same kind."""
    if database.is_sqlite:
        return Database(f"sqlite+aiosqlite:///{tmp_path / 'fresh.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(Table.metadata.drop_all)
        await connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    return database


async def restored(fresh: Database, database: Database) -> None:
    """Leave a shared database as the next test expects it."""
    if fresh is not database:
        await fresh.close()
        return
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
