"""The database, as a command needs it: reachable, with all its tables."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from streamserver import migrations
from streamserver.cli.errors import CannotStartError
from streamserver.kit.sql import Database


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Database]:
    """Yield the database. A failure in the block that is the database's own becomes `CannotStartError`."""
    database = Database(url)
    try:
        yield database
    except (OSError, SQLAlchemyError) as error:
        place = make_url(url).render_as_string(hide_password=True)
        raise CannotStartError(f"The database {place} cannot be used: {error}. See database.url.") from error
    finally:
        await database.close()


async def migrate(url: str) -> None:
    """Bring the tables up to date. Raises `CannotStartError`."""
    async with opened(url) as database:
        await migrations.migrate(database)
