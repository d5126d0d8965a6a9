"""Real parts for every test: a Redis and databases of this run's own, in temporary folders."""

import importlib
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import pytest
from redis.asyncio import Redis

import streamserver
from streamserver.app import Services, build, recover
from streamserver.cli import redis_server
from streamserver.config import Config, DatabaseConfig, RedisConfig, ServerConfig, WebConfig
from streamserver.kit.redis import connect
from streamserver.kit.sql import Database, Table
from tests import postgresql
from tests.harness import Server, free_port
from tests.world import World, make_world


@pytest.fixture(scope="session")
async def redis_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[str]:
    """One embedded server for each worker process of the run."""
    config = Config(server=ServerConfig(data=tmp_path_factory.mktemp("redis")))
    async with redis_server.running(redis_server.embedded(config)) as url:
        yield url


@pytest.fixture
async def redis(redis_url: str) -> AsyncGenerator[Redis]:
    """An empty Redis."""
    client = connect(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def config(tmp_path: Path, redis_url: str) -> Config:
    """Defaults, with a folder and ports of the test's own."""
    return Config(
        server=ServerConfig(data=tmp_path),
        web=WebConfig(port=free_port(), metrics_port=free_port()),
        redis=RedisConfig(url=redis_url),
    )


@pytest.fixture(scope="session")
def postgresql_url() -> Generator[str]:
    with postgresql.running() as url:
        yield url


@pytest.fixture(scope="session")
async def opened_databases() -> AsyncGenerator[dict[str, Database]]:
    """Databases of this session by kind, each with all tables; opened when a test first asks for its kind."""
    opened: dict[str, Database] = {}
    yield opened
    for database in opened.values():
        await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest,
    opened_databases: dict[str, Database],
    tmp_path_factory: pytest.TempPathFactory,
) -> Database:
    """An empty database with every table; each test that uses it runs on SQLite and on PostgreSQL."""
    kind: str = request.param
    if kind not in opened_databases:
        sqlite = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('sqlite') / 'test.db'}"
        url: str = sqlite if kind == "sqlite" else request.getfixturevalue("postgresql_url")
        opened_databases[kind] = await _with_tables(url)
    await _empty(opened_databases[kind])
    return opened_databases[kind]


def _import_tables() -> None:
    root = Path(streamserver.__path__[0])
    for path in root.rglob("tables.py"):
        importlib.import_module(".".join(["streamserver", *path.relative_to(root).with_suffix("").parts]))


async def _with_tables(url: str) -> Database:
    _import_tables()
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Table.metadata.create_all)
    return database


async def _empty(database: Database) -> None:
    async with database.write() as session:
        for table in reversed(Table.metadata.sorted_tables):
            await session.execute(table.delete())


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """One whole server for each worker process of the run; tests share it and make their own accounts and rooms."""
    running = Server(tmp_path_factory.mktemp("server") / "data")
    yield running
    running.stop()


@pytest.fixture
def start_server(tmp_path: Path) -> Generator[Callable[..., Server]]:
    """Start a server of the test's own: `start_server(web__processes=2)`; `folder=` to start one again on its data."""
    started: list[Server] = []

    def start(folder: Path = tmp_path / "data", **settings: str | int | float) -> Server:
        started.append(Server(folder, **settings))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
async def services(config: Config, database: Database, redis: Redis) -> AsyncGenerator[Services]:
    """All domains, joined as the server joins them, on both databases."""
    config = config.model_copy(update={"database": DatabaseConfig(url=database.url)})
    await recover(config)
    services = build(config)
    yield services
    await services.close()


@pytest.fixture
async def world(services: Services) -> World:
    """A shop, a host and a moderator."""
    return await make_world(services)
