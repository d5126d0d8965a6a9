"""The whole of the domains on a real Redis and both databases."""

from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Redis

from streamserver.app import Services, build
from streamserver.config import Config, DatabaseConfig
from streamserver.kit.sql import Database
from tests.world import World, make_world


@pytest.fixture
async def services(config: Config, database: Database, redis: Redis) -> AsyncGenerator[Services]:
    services = build(config.model_copy(update={"database": DatabaseConfig(url=database.url)}))
    yield services
    await services.close()


@pytest.fixture
async def world(services: Services) -> World:
    return await make_world(services)
