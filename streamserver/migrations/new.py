"""`make migration name="what changes"`: writes the next version from the difference between tables.py files and the schema."""

import asyncio
import importlib
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from streamserver.kit.sql import Database
from streamserver.migrations import migrate, script_config

PACKAGE = Path(__file__).parents[1]


def import_tables() -> None:
    """Make every table of every domain known to the metadata."""
    for path in sorted(PACKAGE.rglob("tables.py")):
        importlib.import_module(".".join([PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts]))


async def write_next(name: str) -> None:
    import_tables()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/schema.db")
        await migrate(database)
        async with database.engine.connect() as connection:
            await connection.run_sync(_write, name)
        await database.close()


def _write(connection: Connection, name: str) -> None:
    number = f"{len(list((Path(__file__).parent / 'versions').glob('*.py'))) + 1:04d}"
    command.revision(script_config(connection), name, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    asyncio.run(write_next(sys.argv[1]))
