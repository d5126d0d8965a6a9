"""Accounts of real parts: both databases, Redis, and the publisher that the server uses."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import cast

import msgpack
import pytest
from redis.asyncio import Redis

from streamserver.accounts.service import AccountService
from streamserver.config import Config
from streamserver.kit.redis import connect_listener
from streamserver.kit.sql import Database
from streamserver.realtime.publisher import CONTROL, RedisPublisher

Hear = Callable[[], Awaitable[list[str]]]


@pytest.fixture
def accounts(database: Database, redis: Redis, config: Config) -> AccountService:
    return AccountService(database, redis, config.accounts, RedisPublisher(redis))


@pytest.fixture
async def hear(redis_url: str) -> AsyncGenerator[Hear]:
    """Waits for what is next said to every web process."""
    listener = connect_listener(redis_url)
    async with listener.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(CONTROL)

        async def next_words() -> list[str]:
            messages = cast("AsyncIterator[dict[str, bytes]]", channel.listen())
            return msgpack.unpackb((await anext(messages))["data"])

        yield next_words
    await listener.aclose()
