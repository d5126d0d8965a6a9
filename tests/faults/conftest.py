"""Servers to break, and somewhere to keep the ledger."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest

from streamserver.kit.sql import Database, Table
from streamserver.stock import tables as tables
from tests.faults.redis_under_test import RedisUnderTest, binaries

BINARIES = binaries()

StartRedis = Callable[..., Awaitable[RedisUnderTest]]


@pytest.fixture(params=[*BINARIES.values()], ids=[*BINARIES])
def binary(request: pytest.FixtureRequest) -> Path:
    """Each kind of redis-server that this machine has."""
    return request.param


@pytest.fixture
async def start_redis(binary: Path) -> AsyncGenerator[StartRedis]:
    """Start a server of the test's own: `await start_redis(appendfsync="everysec")`."""
    started: list[RedisUnderTest] = []

    async def start(**options: str | int) -> RedisUnderTest:
        started.append(RedisUnderTest(binary, **options))
        return await started[-1].start()

    yield start
    for server in started:
        await server.close()


@pytest.fixture
async def server(start_redis: StartRedis) -> RedisUnderTest:
    """One with the settings of the embedded Redis."""
    return await start_redis()


@pytest.fixture
async def books(tmp_path: Path) -> AsyncGenerator[Database]:
    """An empty database for the archived ledger."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'books.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(Table.metadata.create_all)
    yield database
    await database.close()
